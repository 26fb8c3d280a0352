"""The commands of `python server.py`; `commands.line` says which module has which."""
