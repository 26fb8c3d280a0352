"""Runs Schemathesis against a server: `python -m bench.fuzz [examples for each call]`.

It uses all checks and phases, as each of CALLERS; by default these are more than 20,000 cases.
Schemathesis also loads this module, which adds the login and the check of refusals.
"""

import json
import os
import re
import secrets
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import schemathesis

from bench.processes import ROOT, SERVER, Process, clean_environment, running, scratch

EXAMPLES = 40
CONFIG = ROOT / "bench/schemathesis.toml"
CALLERS = ("visitor", "user", "admin", "token")  # the last: an API token of an admin
NAME = f"fuzz-{secrets.token_hex(8)}"  # of the user
CALLER = os.environ.get("FUZZ_CALLER", "visitor")
_CASES = re.compile(r"(\d[\d,]*) generated")
# Reasons to refuse a body that fits its schema: they depend on the database or on another field.
TELLING = (
    *("incorrect passphrase.", "incorrect password.", "is wrong, or was used before"),
    *("is reserved", "required", "required, or both ticker1 and ticker2"),
    *("must differ from ticker1", "a token of yours has that name"),
    "a pair's tickers cannot change",
    "goes with no sort; use offset",
    # A pattern does not read an equation.
    "neither a symbol nor a pair",
    "the first leg must have weight 1",
    "the first leg could be part of a number",
    "the hedge must be a positive number",
    "parentheses that change the meaning",
    "a number in the place of a symbol",
    "a * is missing after a number",
    "must not be below 0 unless the position is short",
    "must not be beyond 1e12",  # a pattern for numbers does not limit their value
    # A schema cannot say which characters of Unicode are printable.
    *("must be 1 to 80 characters without spaces or slashes", "must be 1 to 80 characters"),
)
BY_PASSPHRASE = {
    ("PUT", "/v3/webhook"),
    ("PUT", "/v3/ticker/updatepnl"),
    *((method, "/v3/regpnl") for method in ("POST", "PUT")),
    *((method, "/v3/price") for method in ("POST", "PUT")),
    *((method, "/v3/signal/updateorder") for method in ("POST", "PUT")),
}


class Result(NamedTuple):
    """The result of a run: exit code (0: no failure), number of cases, and output."""

    code: int
    cases: int
    text: str


def run(folder: Path, examples: int, *arguments: str, caller: str) -> Result:
    """Runs Schemathesis once against a new demo server, as one of CALLERS."""
    settings = folder / "fuzz.toml"
    settings.write_text("wrong_passphrases = 1000000\nlogin_attempts = 1000000\n")
    url = f"sqlite:///{folder}/fuzz-{caller}.db"
    serve = [SERVER, "--port", 0, "--settings", settings, "--database", url]
    ours = {"SCHEMATHESIS_HOOKS": "bench.fuzz", "PYTHONPATH": str(ROOT), "FUZZ_CALLER": caller}
    environment = clean_environment(**ours)
    with running(Process(serve, folder / "server.log")) as server:
        site = f"http://127.0.0.1:{server.port}/v3/openapi.json"
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", CONFIG]
        command += ["run", site, "--checks", "all", "-n", str(examples), *arguments]
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    found = _CASES.search(done.stdout)
    return Result(done.returncode, int(found[1].replace(",", "")) if found else 0, done.stdout)


@schemathesis.hook
def map_body(context, body):
    """Puts the right passphrase into a body; with a wrong one nothing else would be tested."""
    call = (context.operation.method.upper(), context.operation.path)
    if not isinstance(body, dict):
        return body
    alert = call == ("POST", "/v3/webhook") and isinstance(body.get("passphrase"), str)
    visitor = call in BY_PASSPHRASE and CALLER == "visitor"
    return {**body, "passphrase": "webhook"} if alert or visitor else body


@schemathesis.hook
def filter_body(context, body):
    """Leaves out whole numbers beyond all doubles, which JSON rounds to the greatest of them."""
    values = body.values() if isinstance(body, dict) else ()
    return not any(isinstance(each, int) and abs(each) > sys.float_info.max for each in values)


class Login:
    """The caller's token; if a call has ended its session or revoked it, there is a new one."""

    made = None  # what was answered when its user was made
    token = ""

    def get(self, case, context):
        """A token. A logout gets one of its own, because it ends the session."""
        if case.operation.path == "/v3/logout" and CALLER != "token":
            return _login(case.operation.base_url)
        Login.token = Login.token or _login(case.operation.base_url)
        return Login.token

    def set(self, case, data, context):
        """Adds the token to the request."""
        case.headers["Authorization"] = f"Bearer {data}"


if CALLER != "visitor":
    schemathesis.auth(refresh_interval=None)(Login)

    @schemathesis.hook
    def before_call(context, case, kwargs):
        """Deletes others than its own user, whose name it may have read in a list."""
        if case.method == "DELETE" and case.path_parameters.get("username") == NAME:
            case.path_parameters["username"] = "nobody"

    @schemathesis.hook
    def after_call(context, case, response):
        """Forgets the token if it does not hold any more."""
        sent = response.request.headers.get("Authorization")
        if response.status_code == 401 and sent == f"Bearer {Login.token}":
            Login.token = ""


def _login(site):
    if not Login.made:
        admin = _access(site, "admin", "123")
        form = {"username": NAME, "password": NAME, "admin": CALLER != "user"}
        Login.made = _ask(site, "/v3/reguser", form, admin)
    token = _access(site, NAME, NAME)
    if CALLER == "token":
        form = {"name": secrets.token_hex(8), "scope": "admin"}
        token = _ask(site, "/v3/tokens", form, token)["token"]
    return token


def _access(site, name, password):
    form = {"username": name, "password": password, "expire": 1440}
    return _ask(site, "/v3/login", form)["access_token"]


def _ask(site, path, form, token=""):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = json.dumps(form).encode()
    request = urllib.request.Request(site.rstrip("/") + path, body, headers)  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310 our own server
        return json.load(answer)


@schemathesis.check
def a_right_form_is_not_called_faulty(ctx, response, case):
    """Checks that a body that fits its schema is refused only for the reasons in TELLING."""
    right = case.meta is not None and case.meta.generation.mode.is_positive
    message = response.json()["message"] if right and response.status_code == 400 else ""
    for field, reason in message.items() if isinstance(message, dict) else ():
        assert reason in TELLING, f"{field}: {reason}"


def traceback_of(log: Path) -> str:
    """The first traceback of a log, which begins a line; a path may also contain the word."""
    _, begin, rest = log.read_text().partition("\nTraceback (")
    return begin + rest[:5000]


def main() -> int:
    """Runs it as all callers at once. Returns 0 if no run found a fault."""
    examples = int(sys.argv[1]) if len(sys.argv) > 1 else EXAMPLES
    cases, failed = 0, False
    with scratch() as folder, ThreadPoolExecutor() as pool:
        runs = [
            pool.submit(run, folder, examples, *sys.argv[2:], caller=caller) for caller in CALLERS
        ]
        for caller, each in zip(CALLERS, runs, strict=True):
            found = each.result()
            print(f"{caller}: {found.cases:,} cases\n{found.text}", flush=True)
            cases, failed = cases + found.cases, failed or found.code != 0
        if found := traceback_of(folder / "server.log"):
            print(f"The server logged a traceback: {found}")
            failed = True
    print(f"{cases:,} cases, {'with' if failed else 'no'} failures")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
