"""Orders to CAS, DRM and streaming platforms: made as rights change, sent in order, repeated until answered."""
