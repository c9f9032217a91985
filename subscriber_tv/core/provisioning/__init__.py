"""What outside platforms (CAS, DRM, streaming) are told about rights: the desired state, the order of orders, their words."""
