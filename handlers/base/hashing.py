"""Password hashes, which are slow on purpose, off the event loop."""

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from database import Overloaded
from network import neighbourhood

MOST = 50  # passwords waiting for the thread ...
MOST_NEAR = 10  # ... and of those from one address


class Hashing:
    """One thread for all hashes; `waiting` counts them by where they come from."""

    def __init__(self):
        self.waiting: Counter[str] = Counter()
        self.thread = ThreadPoolExecutor(1, "hasher")

    async def run(self, address: str, work: Any, *args: Any) -> Any:
        """What a slow password function returns; raises Overloaded.

        Nobody takes up all places: a flood from one address must not keep an owner out.
        """
        near, waiting = neighbourhood(address), self.waiting
        if waiting.total() >= MOST or waiting[near] >= MOST_NEAR:
            raise Overloaded
        waiting[near] += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self.thread, work, *args)
        finally:
            waiting[near] -= 1
            if not waiting[near]:
                del waiting[near]

    def close(self) -> None:
        """Ends the thread."""
        self.thread.shutdown()
