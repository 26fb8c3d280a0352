"""SQLite or PostgreSQL: open, write, read, tell."""
