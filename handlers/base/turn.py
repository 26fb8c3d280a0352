"""What several requests ask the database at the same moment."""

import asyncio
from collections.abc import Callable
from typing import Any


class Turn:
    """Answers that hold for one turn of the event loop: whoever asks the same in it shares them.

    A handler begins in a turn after the one that its request was read in, so a request whose
    handler runs now had arrived before anything was asked in this turn. It sees what was committed
    before it arrived, as if it had asked alone. A handler that has awaited something must ask anew.
    """

    def __init__(self):
        self._answers: dict[tuple, Any] = {}

    def ask(self, question: Callable[..., Any], *about: Any) -> Any:
        """What the function answers, asked once in this turn."""
        key = (question, *about)
        if key not in self._answers:
            if not self._answers:
                asyncio.get_running_loop().call_soon(self._answers.clear)
            self._answers[key] = question(*about)
        return self._answers[key]

    def forget(self) -> None:
        """What follows in this turn is asked anew."""
        self._answers.clear()
