"""Runs the real command line in a process of its own."""

import subprocess
import sys

from bench.processes import SERVER, clean_environment


def shell(*arguments):
    """Runs `python server.py ...`; returns the finished process with stdout and stderr."""
    return subprocess.run(
        [sys.executable, SERVER, *map(str, arguments)],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
