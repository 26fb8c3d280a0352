"""Which answer each exception gets: all errors are answered here."""

from http.client import responses
from typing import Any

import peewee
from tornado.web import HTTPError

import models
from database.writer import Overloaded
from schemas.values import BadFields


class ApiError(Exception):
    """An answer that is an error: a status and the body that says why."""

    def __init__(self, status: int, message: Any, headers: dict[str, str] | None = None, **more):
        super().__init__(status)
        self.status = status
        self.body = {"message": message, **more}
        self.headers = headers or {}


def unauthorized(code: str, message: str) -> ApiError:
    """The 401 answer for one of Errors."""
    return ApiError(401, message, {"WWW-Authenticate": "Bearer"}, error=code)


class Errors:
    """The 401 answers in the words that clients know: (code, message)."""

    MISSING = ("authorization_required", "Request does not contain an access token.")
    EXPIRED = ("token_expired", "The token has expired.")
    INVALID = ("token_invalid", "The token is invalid.")
    REVOKED = ("token_revoked", "The token has been revoked.")
    BRIDGE = ("bridge_key_invalid", "The bridge key is invalid.")
    NOT_FRESH = ("fresh_token_required", "The token is not fresh.")


def explain(error: BaseException | None, status: int) -> ApiError:
    """The answer to an exception; one that is not named here is a bug and gets 500."""
    match error:
        case ApiError():
            return error
        case BadFields():
            return ApiError(400, error.reasons)
        case models.Refused():
            return ApiError(400, error.reason)
        case models.Ended():
            return unauthorized(*Errors.REVOKED)
        case models.Missing():
            return ApiError(404, "item not found.")
        case Overloaded():
            return ApiError(
                503, "too much is waiting to be stored; try again", {"Retry-After": "1"}
            )
        case peewee.OperationalError() | peewee.InterfaceError():
            return ApiError(503, "the storage is unavailable; try again", {"Retry-After": "5"})
        case HTTPError():
            return ApiError(error.status_code, _http_message(error))
    return ApiError(status, "the server made a mistake; it has been logged")


def _http_message(error: HTTPError) -> str:
    if error.status_code == 403:
        return "the page is out of date; reload it and try again."
    return f"{responses.get(error.status_code, 'error').lower()}."
