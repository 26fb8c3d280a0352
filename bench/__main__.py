"""All benchmarks, one after the other, as Markdown on stdout (`make bench`)."""

from bench import http, kill, pages, push
from bench.processes import scratch

with scratch() as folder:
    for part in (http, push, pages, kill):
        part.run(folder)
