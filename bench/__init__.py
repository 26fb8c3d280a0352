"""The benchmarks: real processes on this machine, each figure beside the ceiling of its own run."""
