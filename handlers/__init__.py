"""HTTP and websocket: the application, what its handlers share, then one module a subject."""
