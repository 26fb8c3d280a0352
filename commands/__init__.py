"""The commands of `python server.py`, one module for each."""
