"""What requests share that came in together, and why it is never too old."""

import asyncio

import pytest

from handlers.base import BaseHandler
from handlers.lists import Turn
from tests.conftest import alert

pytestmark = pytest.mark.gen_test(timeout=60)


async def test_a_question_is_asked_once_in_a_turn_and_anew_in_the_next():
    turn, asked = Turn(), []

    def question(about):
        asked.append(about)
        return len(asked)

    assert [turn.ask(question, about) for about in "aba"] == [1, 2, 1]
    await asyncio.sleep(0)
    assert turn.ask(question, "a") == 3
    assert asked == ["a", "b", "a"]


async def test_a_question_that_fails_is_asked_again():
    turn, answers = Turn(), [None, 7]

    def question():
        if (answer := answers.pop(0)) is None:
            raise LookupError
        return answer

    with pytest.raises(LookupError):
        turn.ask(question)
    assert turn.ask(question) == 7


async def test_no_handler_begins_in_the_turn_that_its_request_was_read_in(app, api, monkeypatch):
    before, late = [], []
    find, prepare = app.find_handler, BaseHandler.prepare

    def found(request, **named):
        asyncio.get_running_loop().call_soon(before.append, request)
        return find(request, **named)

    def prepared(handler):
        if handler.request not in before:
            late.append(handler.request.path)
        return prepare(handler)

    monkeypatch.setattr(app, "find_handler", found)
    monkeypatch.setattr(BaseHandler, "prepare", prepared)
    await asyncio.gather(
        *(api.get("/v3/signals/5") for _ in range(20)),
        *(api.post("/v3/webhook", alert()) for _ in range(20)),
    )
    host, port = api.base_url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(b"GET /v3/stocks/0 HTTP/1.1\r\nHost: x\r\n\r\n" * 20)  # in one go
    for _ in range(20):
        await reader.readuntil(b'{"stocks":[]}')
    writer.close()
    assert (len(before), late) == (60, [])
