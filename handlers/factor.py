"""The second factor: set up with a QR code, confirmed with a code, turned off with one."""

from collections.abc import Callable
from typing import Any

import schemas
import security
from handlers.base import CredentialHandler, ListHandler, Right, right
from models import CodeRefused, Factor, RecoveryCode, Refused, User, insist


class FactorHandler(CredentialHandler):
    """A handler of one's own second factor."""

    async def check_password(self, password: str | None) -> None:
        """Whoever found an open browser must not change how its owner logs in."""
        if password is None:
            raise schemas.BadFields({"password": "required"})
        if await self.verify(self.identity.user.username, password) is None:
            raise schemas.BadFields({"password": "incorrect password."})

    async def prove(self, kind: str, verb: Callable) -> Any:
        """What `verb(user)` returns: it takes the password and a code, both spent in one step."""
        form = schemas.check(schemas.FactorForm, self.json_body())
        await self.check_password(form.password)
        user, key = self.identity.user, self.application.token_key
        act = self.acting(kind, "", verb, user)

        def work() -> Any:
            Factor.spend(user, form.code or "", key)
            return act()

        return await self.with_code(form.code, work)

    async def with_code(self, code: str | None, work: Callable) -> Any:
        """Runs work that takes a code, which the gate counts; 400 where it is refused."""
        if code is None:
            raise schemas.BadFields({"code": "required"})
        gate, name = self.application.gate, self.identity.user.username
        counted = security.looks_like_totp(code)
        if counted:
            gate.begin_code(name)
        try:
            result = await self.store(work)
        except CodeRefused:
            self.application.refusals.count("login.code", self.remote, name)
            raise schemas.BadFields({"code": "is wrong, or was used before"}) from None
        if counted:
            gate.code_fitted(name)
        return result


class OwnFactor(FactorHandler):
    """/v3/factor: GET tells whether it is on, POST begins it, PUT confirms it with a code."""

    @right(Right.TOKEN)
    async def get(self) -> None:
        user = self.identity.user
        factor = Factor.of(user)
        codes = RecoveryCode.left(user) if factor else 0
        self.reply({"since": factor and factor.since, "recovery_codes": codes})

    @right(Right.FRESH)
    async def post(self) -> None:
        form = schemas.check(schemas.FactorForm, self.json_body())
        await self.check_password(form.password)
        user = self.identity.user
        secret = await self.store(self._begin)
        site = self.webhook_url.partition("://")[2].partition("/")[0]
        uri = security.totp_uri(secret, user.username, f"Pairs-API {site}")
        self.reply({"secret": secret, "uri": uri, "qr": _drawn(uri)}, 201)

    def _begin(self) -> str:
        insist(self.identity.key)
        return Factor.begin(self.identity.user, self.application.token_key)

    @right(Right.FRESH)
    async def put(self) -> None:
        form = schemas.check(schemas.FactorForm, self.json_body())
        user, keep = self.identity.user, self.identity.session.id
        key = self.application.token_key
        confirm = (Factor.confirm, user, form.code or "", key, keep)
        work = self.acting("factor.on", "", *confirm)
        codes = await self.with_code(form.code, work)
        self.application.hub.recheck()
        self.reply({"recovery_codes": codes})


def _drawn(text: str) -> str:
    """A QR code as a picture's address, dark on light in both themes, for cameras."""
    import segno

    return segno.make(text, error="m").svg_data_uri(scale=4, border=4, dark="#000", light="#fff")


class FactorOff(FactorHandler):
    """/v3/factor/off: turns one's own off, with the password and a code."""

    @right(Right.FRESH)
    async def post(self) -> None:
        await self.prove("factor.off", Factor.drop)
        self.reply({"message": "the second factor is off."})


class FactorCodes(FactorHandler):
    """/v3/factor/codes: new recovery codes for the old, with the password and a code."""

    @right(Right.FRESH)
    async def post(self) -> None:
        self.reply({"recovery_codes": await self.prove("factor.codes", RecoveryCode.renew)})


class FactorList(ListHandler):
    """/v3/factors: the users who have a second factor."""

    list_key = "factors"

    @right(Right.ADMIN)
    async def get(self) -> None:
        self.reply_list(
            [{"username": each.user.username, "since": each.since} for each in Factor.all_on()]
        )


class OthersFactor(CredentialHandler):
    """/v3/factor/of/{username}: an administrator turns off another's, who has lost all codes."""

    @right(Right.ADMIN)
    async def delete(self, username: str) -> None:
        if username == self.identity.user.username:
            raise Refused("turn your own off with your password and a code.")
        await self.act("factor.off", username, Factor.drop, User.find(username))
        self.reply({"message": "the second factor is off."})


routes = [
    (r"/v3/factor", OwnFactor),
    (r"/v3/factor/off", FactorOff),
    (r"/v3/factor/codes", FactorCodes),
    (r"/v3/factors", FactorList),
    (r"/v3/factor/of/([^/]+)", OthersFactor),
]
