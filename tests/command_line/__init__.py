"""The command line on real databases, most of it within the tests' own process: starts cost."""
