"""Sends mutated requests to a server, and looks whether it bears them.

`python -m bench.mutants 200000` sends so many (20,000 by default), each piece of 20,000 to a new
demo server, on SQLite or with `--postgresql`; `--seed 2` sends others. `bench.mutations` says what
they are.

It fails if an answer is 5xx or does not come, if an alert that was answered is neither a signal nor
a rejected alert, if the log has a traceback or an error, or if the server has died.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import re
import secrets
import sys
import time
from base64 import b64encode
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httputil import HTTPHeaders

from bench import data
from bench.load import ALERT
from bench.mutations import Header, Request, examples, request
from bench.processes import SERVER, Process, running, scratch
from database.opening import reach_database
from database.rows import last_id

PIECE = 20_000  # requests to one server
SENDERS = 8  # fewer than the passwords that may wait for one address, else some are answered 503
PATIENCE = 60  # seconds for an answer
SILENCE = 0.1  # seconds to wait for one that is not owed
KEY = "a-key-of-the-bridge"
PASSWORD = "a long password"  # noqa: S105 of the users that it makes
XSRF = "00112233445566778899aabbccddeeff"
SETTINGS = f"""
wrong_passphrases = 100000000
login_attempts = 100000000
rejected_kept = 100000000
strangers_kept = 100000000
entry_minutes = 0
bridge_keys = ["{KEY}"]
"""
SCOPES = ("api-read", "api-signals", "api-registry", "api-admin")  # API tokens
ROLES = ("visitor", "bridge", "user", "admin", "admin", "cookie", *SCOPES)
STORING = ("/v3/webhook", "/v3/order", "/v3/rejected/{rowid}/resubmit")  # calls that make signals
# What is asked for at the end: all that was stored, in each form.
SHOWN = (
    *("/healthz", "/metrics", "/v3/signals/0", "/v3/signals/0.csv", "/v3/rejected/0"),
    *("/v3/events", "/v3/totals", "/v3/figures", "/v3/trips/0", "/v3/performance", "/v3/messages"),
    *("/v3/pairs/0", "/v3/stocks/0", "/v3/tickers/0", "/v3/pnl/0", "/v3/positions", "/v3/alarms"),
    *("/v3/audit/0", "/v3/refused", "/v3/users/0", "/v3/tokens", "/v3/sessions", "/v3/trading"),
    *("/dashboard", "/list", "/positions", "/performance", "/setup"),
)
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
# In the log: errors with the lines of their traceback, and answers.
_FAULTY = re.compile(
    r"^(?:.* (?:level=error|status=5\d\d) |Traceback \().*\n(?:(?!time=).*\n)*", re.M
)
_LENGTH = re.compile(rb"content-length: (\d+)", re.I)


@dataclass
class Outcome:
    """What came of the requests."""

    answers: Counter = field(default_factory=Counter)  # by status; 0: none, and none was owed
    signals: list[int] = field(default_factory=list)  # the rowids that were answered
    refused: int = 0  # alerts that were answered with an error, which must have been kept
    unsure: int = 0  # requests that may have stored an alert, and no answer says so
    frames: int = 0  # that were sent over websockets
    faults: list[str] = field(default_factory=list)

    def add(self, sent: Request, status: int, body: bytes) -> None:
        """Counts an answer."""
        self.answers[status] += 1
        if status >= 500:
            self.faults.append(f"{status}: {sent.raw[:1500]!r} {body[:200]!r}")
        if sent.path not in STORING:
            return
        if status == 201 and not sent.broken:
            self.signals.append(json.loads(body)["rowid"])
        elif sent.raw.startswith(b"POST /v3/webhook HTTP/") and not sent.broken:
            self.refused += status >= 400
        else:
            self.unsure += 1


class Callers:
    """Who calls: the headers of each role. A login that may have ended is made anew."""

    def __init__(self, port: int):
        self._site = f"http://127.0.0.1:{port}"
        # No mutation hits these names.
        self._names = {role: f"{role}-{secrets.token_hex(8)}" for role in ("user", "admin")}
        self._entering = asyncio.Lock()
        self._numbers = itertools.count(1)  # of API tokens
        bridge = b64encode(f"bridge:{KEY}".encode()).decode()
        self._headers = {"visitor": [], "bridge": [("Authorization", f"Basic {bridge}")]}

    async def start(self) -> dict:
        """Makes the users; returns the API's document."""
        _, token = await self._log_in("admin", "123")
        for role, name in self._names.items():
            user = {"username": name, "password": PASSWORD, "admin": role == "admin"}
            await self._ask("/v3/reguser", user, token)
        return json.loads((await AsyncHTTPClient().fetch(f"{self._site}/v3/openapi.json")).body)

    async def headers(self, role: str) -> list[Header]:
        """The headers of a role."""
        async with self._entering:
            if role not in self._headers:
                self._headers[role] = await self._enter(role)
        return self._headers[role]

    async def look(self, role: str) -> None:
        """Lets a role log in again when it next calls, if its login has ended."""
        headers = HTTPHeaders(dict(self._headers.get(role, ())))
        answer = await AsyncHTTPClient().fetch(
            f"{self._site}/v3/session", headers=headers, raise_error=False, request_timeout=PATIENCE
        )
        if answer.code == 401 and role not in ("visitor", "bridge"):
            self._headers.pop(role, None)

    async def _enter(self, role: str) -> list[Header]:
        name = self._names["user" if role == "user" else "admin"]
        cookie, token = await self._log_in(name, PASSWORD)
        if role == "cookie":
            return [("Cookie", f"{cookie}; _xsrf={XSRF}"), ("X-XSRFToken", XSRF)]
        if role in SCOPES:
            name = f"{role} {next(self._numbers)}"
            form = {"name": name, "scope": role.removeprefix("api-")}
            token = json.loads((await self._ask("/v3/tokens", form, token)).body)["token"]
        return [("Authorization", f"Bearer {token}")]

    async def _log_in(self, name: str, password: str) -> tuple[str, str]:
        """(the cookie, the access token) of a new session."""
        form = {"username": name, "password": password, "expire": 1440}
        answer = await self._ask("/v3/login", form)
        cookie = answer.headers.get("Set-Cookie", "").partition(";")[0]
        return cookie, json.loads(answer.body)["access_token"]

    async def _ask(self, path: str, form: dict, token: str = "") -> HTTPResponse:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        asked = {"method": "POST", "headers": headers, "request_timeout": PATIENCE}
        return await AsyncHTTPClient().fetch(self._site + path, body=json.dumps(form), **asked)


class Sender:
    """Sends one request after the other, on a connection that is opened anew where it ended."""

    def __init__(self, port: int, outcome: Outcome):
        self._port, self._outcome = port, outcome
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def send(self, sent: Request) -> int:
        """Sends a request, counts its answer and returns the status; 0 if there is none."""
        for _ in range(2):  # a connection that the server closes meanwhile has had no answer
            is_new = self._writer is None
            if is_new:
                opened = await asyncio.open_connection("127.0.0.1", self._port, limit=2**24)
                self._reader, self._writer = opened
            self._writer.write(sent.raw)
            if sent.broken:
                return await self._listen(sent)
            try:
                status, body = await asyncio.wait_for(self._answer(sent), PATIENCE)
            except (OSError, EOFError):
                self.close()
                if is_new:
                    break
                continue
            except TimeoutError:
                self.close()
                break
            self._outcome.add(sent, status, body)
            if status == 101:
                await self._talk(sent)
            return status
        self._outcome.faults.append(f"no answer: {sent.raw[:1500]!r}")
        return 0

    def close(self) -> None:
        """Closes the connection."""
        if self._writer:
            self._writer.transport.abort()
        self._reader = self._writer = None

    async def _answer(self, sent: Request) -> tuple[int, bytes]:
        reader, status = self._reader, 100
        while status == 100:
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head[9:12])
        length = _LENGTH.search(head)
        if sent.raw.startswith(b"HEAD ") or status in (101, 204, 304):
            body = b""
        elif b"chunked" in head.lower():
            body = b""
            while size := int(await reader.readuntil(b"\r\n"), 16):
                body += (await reader.readexactly(size + 2))[:-2]
            await reader.readexactly(2)
        else:
            body = await reader.readexactly(int(length[1]) if length else 0)
        if b"connection: close" in head.lower():
            self.close()
        return status, body

    async def _listen(self, sent: Request) -> int:
        """Counts what is answered to a request that is no right HTTP."""
        told = await self._hear()
        for status in _STATUS.findall(told) or (b"0",):
            self._outcome.add(sent, int(status), told)
        return 0

    async def _talk(self, sent: Request) -> None:
        """Sends the frames over the websocket that was opened."""
        self._writer.writelines(sent.frames)
        self._outcome.frames += len(sent.frames)
        await self._hear()

    async def _hear(self) -> bytes:
        """All that the server says until it hangs up or falls silent; closes the connection."""
        told = b""
        with contextlib.suppress(TimeoutError, OSError):
            while part := await asyncio.wait_for(self._reader.read(65536), SILENCE):
                told += part
        self.close()
        return told


async def attack(port: int, count: int, seed: str) -> Outcome:
    """Sends so many mutated requests to the server at this port; the seed says which."""
    outcome, callers = Outcome(), Callers(port)
    calls = examples(await callers.start())
    weights = [each.weight for each in calls]
    numbers = iter(range(count))

    async def send() -> None:
        sender = Sender(port, outcome)
        for number in numbers:
            random = Random(f"{seed} {number}")  # noqa: S311 not for secrets
            role, (example,) = random.choice(ROLES), random.choices(calls, weights)
            sent = request(random, example, await callers.headers(role))
            if await sender.send(sent) == 401:
                await callers.look(role)
        sender.close()

    await asyncio.gather(*(send() for _ in range(SENDERS)))
    await callers.look("admin")
    await _look_alive(port, await callers.headers("admin"), outcome)
    return outcome


async def _look_alive(port: int, admin: list[Header], outcome: Outcome) -> None:
    """Looks whether the server still takes an alert, and shows what it stored."""
    site, client = f"http://127.0.0.1:{port}", AsyncHTTPClient()
    kept = await client.fetch(f"{site}/v3/webhook", method="POST", body=json.dumps(ALERT))
    outcome.signals.append(json.loads(kept.body)["rowid"])
    for path in SHOWN:
        asked = {"headers": HTTPHeaders(dict(admin)), "request_timeout": PATIENCE}
        answer = await client.fetch(site + path, raise_error=False, **asked)
        if answer.code != 200:
            outcome.faults.append(f"at the end {path} answers {answer.code}")


def compare(url: str, outcome: Outcome) -> str:
    """Compares what is stored with what was answered; returns it as a sentence."""
    database = reach_database(url)
    rows = database.execute_sql("SELECT subject FROM event WHERE type = 'signal.created'")
    stored = {int(subject) for (subject,) in rows.fetchall()}
    rejected = last_id(database, "rejected_alert", "id")
    database.close()
    answered = set(outcome.signals)
    if len(answered) < len(outcome.signals):
        outcome.faults.append("a rowid was answered twice")
    if lost := answered - stored:
        outcome.faults.append(f"signals that were answered and are not stored: {sorted(lost)[:9]}")
    if len(stored - answered) > outcome.unsure:
        outcome.faults.append(f"{len(stored - answered)} signals are stored that nobody answered")
    if not outcome.refused <= rejected <= outcome.refused + outcome.unsure:
        outcome.faults.append(f"{rejected} rejected alerts of {outcome.refused} are kept")
    return (
        f"{len(answered):,} signals answered, {len(stored):,} stored; {outcome.refused:,} alerts "
        f"refused, {rejected:,} kept; {outcome.unsure:,} requests may have stored one unanswered"
    )


def piece(folder: Path, url: str, count: int, seed: str) -> Outcome:
    """Sends so many requests to a new demo server, and prints what came of them."""
    settings, log = folder / "mutants.toml", folder / f"mutants-{seed}.log"
    settings.write_text(SETTINGS)
    process = Process([SERVER, "--port", 0, "--settings", settings, "--database", url], log)
    begun = time.monotonic()
    with running(process) as server:
        outcome = asyncio.run(attack(server.port, count, seed))
        memory = server.memory()
        if code := server.end():
            outcome.faults.append(f"the server ended with {code}")
    seconds = time.monotonic() - begun
    outcome.faults += _FAULTY.findall(log.read_text())
    counted = ", ".join(
        f"{status or 'none'} {n:,}" for status, n in sorted(outcome.answers.items())
    )
    print(f"seed {seed}: {count:,} requests and {outcome.frames:,} frames in {seconds:.0f} s")
    print(f"  answers: {counted}\n  {compare(url, outcome)}; {memory:.0f} MB", flush=True)
    return outcome


def main(arguments: list[str]) -> int:
    """Runs the pieces. Returns 1 if one has found a fault."""
    parser = argparse.ArgumentParser(prog="python -m bench.mutants", description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=PIECE, help="how many requests")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--postgresql", action="store_true")
    given = parser.parse_args(arguments)
    faults = []
    with scratch() as folder, contextlib.ExitStack() as stack:
        kind = stack.enter_context(data.postgres()) if given.postgresql else data.Sqlite(folder)
        for begin in range(0, given.count, PIECE):
            count, seed = min(PIECE, given.count - begin), f"{given.seed}.{begin // PIECE}"
            faults += piece(folder, kind.new(), count, seed).faults
    print(*faults[:50], f"{given.count:,} requests, {len(faults)} faults", sep="\n")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
