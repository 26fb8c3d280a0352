"""What schemathesis is told of this server: who calls, and which refusals would be faults."""

import json
import os
import urllib.request

import schemathesis

# Reasons that no schema can tell: they depend on what is stored, or on another field.
TELLING = (
    *("incorrect passphrase.", "incorrect password.", "is wrong, or was used before"),
    *("is reserved", "required", "required, or both ticker1 and ticker2"),
    *(
        "must differ from ticker1",
        "a token of yours has that name",
        "a pair's tickers cannot change",
    ),
    "must not be below 0 unless the position is short",
    "must not be beyond 1e12",  # a numeral's pattern does not tell its value
    # Which characters are printable is a matter of Unicode.
    *("must be 1 to 80 characters without spaces or slashes", "must be 1 to 80 characters"),
)


BY_PASSPHRASE = {
    ("PUT", "/v3/webhook"),
    ("PUT", "/v3/ticker/updatepnl"),
    *((method, "/v3/regpnl") for method in ("POST", "PUT")),
    *((method, "/v3/price") for method in ("POST", "PUT")),
    *((method, "/v3/signal/updateorder") for method in ("POST", "PUT")),
}


@schemathesis.hook
def map_body(context, body):
    """The right passphrase where it decides: else nothing behind it would ever be tried."""
    call = (context.operation.method.upper(), context.operation.path)
    if not isinstance(body, dict):
        return body
    alert = call == ("POST", "/v3/webhook") and isinstance(body.get("passphrase"), str)
    visitor = call in BY_PASSPHRASE and "FUZZ_LOGIN" not in os.environ
    return {**body, "passphrase": "webhook"} if alert or visitor else body


class Login:
    """A session of the admin, begun again where a call has ended it."""

    token = ""

    def get(self, case, context):
        """An access token; a logout ends one of its own."""
        if case.operation.path == "/v3/logout":
            return _login(case.operation.base_url)
        Login.token = Login.token or _login(case.operation.base_url)
        return Login.token

    def set(self, case, data, context):
        """Sends it along."""
        case.headers["Authorization"] = f"Bearer {data}"


if "FUZZ_LOGIN" in os.environ:
    schemathesis.auth(refresh_interval=None)(Login)

    @schemathesis.hook
    def after_call(context, case, response):
        """A session that a call has ended serves no further one."""
        if response.status_code == 401 and b"token_revoked" in response.content:
            Login.token = ""


def _login(base_url):
    body = json.dumps({"username": "admin", "password": "123", "expire": 1440}).encode()
    request = urllib.request.Request(base_url.rstrip("/") + "/v3/login", body)  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310 our own server
        return json.load(answer)["access_token"]


@schemathesis.check
def a_right_form_is_not_called_faulty(ctx, response, case):
    """A body that fits its schema is not refused for what its fields look like."""
    right = case.meta is not None and case.meta.generation.mode.is_positive
    message = response.json()["message"] if right and response.status_code == 400 else ""
    for field, reason in message.items() if isinstance(message, dict) else ():
        assert reason in TELLING, f"{field}: {reason}"
