"""The edge: answers TVs from its own file, whatever the ERP and the network behind it do. It signs nothing."""
