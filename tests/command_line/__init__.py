"""Tests of the command line on real databases, mostly in this process, because a start is slow."""
