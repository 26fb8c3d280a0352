"""A real mail server that stores the mails it gets, or refuses them."""

import asyncio
import contextlib
import logging
import queue
from email import message_from_bytes, policy

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.conftest import PATIENCE
from tests.ports import free_port

logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # it would log every line
USER, PASSWORD = "owner", "s3cret-of-the-mail"


class Mails:
    """Takes mails from a client that knows the password; `address()` has it."""

    def __init__(self):
        self._taken = queue.Queue()
        self.refusals = 0  # number of mails to refuse before it takes one again
        self._port = free_port()
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=self._port,
            authenticator=self._check,
            auth_required=True,
            auth_require_tls=False,
        )

    def _check(self, server, session, envelope, mechanism, given):
        right = (given.login, given.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=right, handled=False)  # so that a wrong one is answered

    async def handle_DATA(self, server, session, envelope):  # noqa: N802 the library's name
        """Stores a mail, or refuses it."""
        if self.refusals:
            self.refusals -= 1
            return "451 come back later"
        self._taken.put(message_from_bytes(envelope.content, policy=policy.default))
        return "250 taken"

    def address(self):
        """The address for apprise, with the password."""
        return _address(self._port)

    @staticmethod
    def nowhere():
        """The address of a mail server that does not run."""
        return _address(free_port())

    def take(self):
        """(subject, text) of the next mail. Raises queue.Empty if none comes."""
        mail = self._taken.get(timeout=PATIENCE)
        return mail["subject"], mail.get_content().replace("\r\n", "\n").strip()

    async def next(self):
        """Does the same as `take`, without blocking the event loop."""
        return await asyncio.get_running_loop().run_in_executor(None, self.take)

    @property
    def is_empty(self):
        """Whether all mails that have come were taken."""
        return self._taken.empty()


def _address(port):
    more = "from=alarms@example.com&to=owner@example.com&format=text"
    return f"mailto://{USER}:{PASSWORD}@127.0.0.1:{port}?{more}"


@contextlib.contextmanager
def receiving():
    """A mail server that runs for the block."""
    mails = Mails()
    mails._controller.start()
    try:
        yield mails
    finally:
        mails._controller.stop()
