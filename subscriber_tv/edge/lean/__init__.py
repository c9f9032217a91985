"""A strict HTTP/1.1 server for what TVs ask daily; everything else goes to the same ASGI application as elsewhere."""
