"""The trading domain as pure functions: no I/O, no web, no database."""
