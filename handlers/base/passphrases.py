"""The valid passphrases, asked for with every alert."""

import time
from typing import Any

import models
from models.statements import compiled
from security import keyed_digest
from settings import Settings

KEPT = 1.0  # seconds, or until one changes


class Passphrases:
    """Those of the settings, known by a digest, and those of the database, by an id."""

    def __init__(self, conf: Settings, token_key: str):
        self._fixed = [(keyed_digest(token_key, text), text) for text in conf.fixed_passphrases]
        self._valid: list[tuple[int | str, str, str | None]] = []
        self._until = 0.0

    def valid(self) -> list[tuple[int | str, str, str | None]]:
        """(digest or id, text, last use) of each."""
        if time.monotonic() > self._until:
            used = models.PassphraseUse.all()
            fixed = [(digest, text, used.get(digest)) for digest, text in self._fixed]
            self._valid = fixed + compiled.passphrases()
            self._until = time.monotonic() + KEPT
        return self._valid

    def forget(self, *_: Any) -> None:
        """Asks the database anew: one was made, used or retired."""
        self._until = 0.0

    def fixed_used(self) -> list[str | None]:
        """When each passphrase of the settings was last used, in their order."""
        used = models.PassphraseUse.all()
        return [used.get(digest) for digest, _ in self._fixed]
