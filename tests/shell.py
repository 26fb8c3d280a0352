"""The real command line, in a process of its own."""

import subprocess
import sys

from bench.processes import ROOT, clean_environment


def shell(*arguments):
    """`python server.py ...`: the finished process with its texts."""
    return subprocess.run(
        [sys.executable, "server.py", *map(str, arguments)],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
