"""The databases that are measured: SQLite files, and a PostgreSQL that is started for it."""

import contextlib
import itertools
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2

from bench import data
from tests.storage import EmbeddedServer, PostgresServer

NOW = time.time()  # one moment for all databases of a run


class Sqlite:
    """Files in a scratch directory."""

    name = "SQLite"

    def __init__(self, folder: Path):
        self._folder = folder
        self._numbers = itertools.count(1)

    def make(self, count: int = 0) -> str:
        """The URL of a new database with that many signals."""
        url = f"sqlite:///{self._folder}/{next(self._numbers)}.db"
        return data.settle(data.fill(url, count, NOW))

    def connect(self) -> sqlite3.Connection:
        """The bare driver on a new database, as durable as the server has it."""
        file = self._folder / f"{next(self._numbers)}.db"
        connection = sqlite3.connect(file, isolation_level=None)
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("PRAGMA synchronous = FULL")
        return connection


class Postgres:
    """Databases of one server, with its own defaults: every commit waits for the disk."""

    name = "PostgreSQL"

    def __init__(self, url: str):
        self._server = PostgresServer(url)

    def make(self, count: int = 0) -> str:
        """The URL of a new database with that many signals."""
        return data.settle(data.fill(self._server.at(self._server.create()), count, NOW))

    def connect(self) -> "psycopg2.extensions.connection":
        """The bare driver on a new database; each statement is on its own unless one begins."""
        return self._server.outside(self._server.at(self._server.create()))

    def version(self) -> str:
        """The server's version."""
        with contextlib.closing(self._server.outside(self._server.url)) as connection:
            return str(connection.info.server_version)


@contextlib.contextmanager
def postgres() -> Iterator[Postgres]:
    """The server of TEST_DATABASE_URL, or one that is started and deleted."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield Postgres(given)
        return
    embedded = EmbeddedServer()
    try:
        yield Postgres(embedded.url)
    finally:
        embedded.close()
