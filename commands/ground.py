"""What doctor looks at outside the database: the settings, files, the disk, the port."""

import errno
import http.client
import os
import shutil
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

from commands.check import BRIDGE_REFUSED
from commands.findings import Finding, ok, problem, warning
from database import sqlite_file
from network import address_of
from settings import ROOT, Settings, secret_files

LITTLE, LEAST = 1e9, 1e8  # bytes of room on the disk: beware; act
SECONDS = 3.0  # that the running server has to answer in


def look(conf: Settings, overlay: str | None) -> list[Finding]:
    """All of it, one or more findings for each subject."""
    files = [*secret_files(os.environ, overlay), *_database_files(conf)]
    return [
        ok("settings", f"in order ({conf.mode})"),
        *rights(conf, files),
        disk(conf),
        port(conf),
        proxies(conf),
        bridge(conf),
    ]


def _database_files(conf: Settings) -> list[Path]:
    file = sqlite_file(conf.database)
    if file is None:
        return []
    return [each for end in ("", "-wal") if (each := Path(f"{file}{end}")).exists()]


def rights(conf: Settings, files: list[Path]) -> Iterator[Finding]:
    """Whether others on this machine could read what only the server may."""
    if os.name == "nt":
        yield warning("files", "their rights cannot be told on Windows; look at them yourself")
        return
    open_ones = [file for file in files if is_world_readable(file)]
    worse = warning if conf.demo else problem
    for file in open_ones:
        yield worse("files", f"{file} can be read by everybody on this machine: chmod o-r {file}")
    if not open_ones:
        yield ok("files", "nobody else on this machine can read what is secret")


def is_world_readable(file: Path) -> bool:
    """Whether any user can get to the file and read it."""
    file = file.resolve()
    if not file.stat().st_mode & stat.S_IROTH:
        return False
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in file.parents)


def disk(conf: Settings) -> Finding:
    """Whether there is room where we write."""
    file = sqlite_file(conf.database)
    folder = file.resolve().parent if file else ROOT
    if not folder.is_dir():
        return problem("disk", f"there is no folder {folder}: make it, or change database")
    free = shutil.disk_usage(folder).free
    text = f"{free / 1e9:.1f} GB are free at {folder}"
    if free < LEAST:
        return problem("disk", f"{text}: alerts will soon be lost; make room now")
    if free < LITTLE:
        return warning("disk", f"{text}: make room, or run prune")
    return ok("disk", text)


def port(conf: Settings) -> Finding:
    """Whether the port is ours or can be."""
    host, where = _reachable(conf.host), f"{conf.host}:{conf.port}"
    connection = http.client.HTTPConnection(host, conf.port, timeout=SECONDS)
    try:
        connection.request("GET", "/v3/session")
        answer = connection.getresponse()
        if answer.getheader("X-Request-Id"):
            return ok("port", f"the server answers at {where}")
        return problem("port", f"something else answers at {where}: stop it, or change port")
    except ConnectionRefusedError:
        return _free(conf, where)
    except (OSError, http.client.HTTPException):
        return problem("port", f"what listens at {where} does not answer: restart it")
    finally:
        connection.close()


def _reachable(host: str) -> str:
    """Where to call a server that listens at this host."""
    address = address_of(host)
    if address is None or not address.is_unspecified:
        return host
    return "127.0.0.1" if address.version == 4 else "::1"


def _free(conf: Settings, where: str) -> Finding:
    family = socket.AF_INET6 if ":" in conf.host else socket.AF_INET
    with socket.socket(family) as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((conf.host, conf.port))
        except OSError as error:
            told = error.strerror or "it is no address of this machine"
            hint = "; ports below 1024 are for root" if error.errno == errno.EACCES else ""
            return problem("port", f"the server cannot listen at {where}: {told}{hint}")
    return ok("port", f"{where} is free; the server does not run")


def proxies(conf: Settings) -> Finding:
    """Whether callers' addresses will be right behind a proxy."""
    if not conf.demo and conf.url.startswith("https:") and not conf.trusted_proxies:
        return warning(
            "proxy",
            "url is https but there are no trusted_proxies: behind a proxy all callers look like "
            'one, and its limits hit everybody; for one on this machine set ["127.0.0.1"]',
        )
    if not conf.demo and not conf.url:
        return warning("proxy", "set url to the public address, so that cookies are secure")
    return ok("proxy", "url and trusted_proxies fit" if conf.url else "none is needed in a demo")


def bridge(conf: Settings) -> Finding:
    """Whether the bridge gets answers."""
    if conf.bridge_is_refused:
        return warning("bridge", BRIDGE_REFUSED.rstrip("."))
    by = "with its key" if conf.bridge_keys else "without a key, as everybody may"
    return ok("bridge", f"it may read {by}")
