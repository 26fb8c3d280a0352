"""Passwords, verified and hashed off the event loop."""

import asyncio

import schemas
import security
from handlers.base.handler import BaseHandler
from models import User


class CredentialHandler(BaseHandler):
    """A handler that hashes or verifies passwords, off the event loop."""

    async def verify(self, username: str, password: str) -> User | None:
        """The user whose password this is; 429 after too many failures."""
        user = await self.try_password(username, password)
        if user:
            self.application.gate.login_succeeded(username, self.remote)
        return user

    async def try_password(self, username: str, password: str) -> User | None:
        """The same, but the attempt counts as failed until the gate is told otherwise."""
        await asyncio.sleep(self.application.gate.begin_login(username, self.remote))
        user = User.get_or_none(User.username == username)
        hashed = user.password_hash if user else None
        if await self.application.hashing.run(
            self.remote, security.verify_password, password, hashed
        ):
            return user
        self.application.refusals.count("login.failed", self.remote, user.username if user else "")
        return None

    async def hashed(self, password: str) -> str:
        """The hash of a new password; raises BadFields when it is too short."""
        if not self.conf.demo and len(password) < 8:
            raise schemas.BadFields({"password": "must have at least 8 characters"})
        return await self.application.hashing.run(self.remote, security.hash_password, password)
