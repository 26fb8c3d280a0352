"""The second factor: set up with a QR code, confirmed with a code, turned off with one."""

from collections.abc import Callable
from typing import Any

import security
from handlers.base import CredentialHandler
from handlers.contract import Right, Username, contract, right
from handlers.lists import ListHandler
from models import Factor, RecoveryCode, Refused, User
from schemas import answers
from schemas.requests import FactorForm
from schemas.values import BadFields, check
from services import access
from services.access import CodeRefused


class FactorHandler(CredentialHandler):
    """A handler of one's own second factor."""

    async def check_password(self, password: str | None) -> None:
        """Raises BadFields unless this is one's password: an open browser alone changes nothing."""
        if password is None:
            raise BadFields({"password": "required"})
        if await self.verify(self.identity.user.username, password) is None:
            raise BadFields({"password": "incorrect password."})

    async def prove(self, kind: str, verb: Callable) -> Any:
        """What `verb(user)` returns; it needs the password and a code.

        The code is spent in the transaction of the verb.
        """
        form = check(FactorForm, self.json_body())
        await self.check_password(form.password)
        user, key = self.identity.user, self.application.token_key
        act = self.acting(kind, "", verb, user)

        def work() -> Any:
            access.spend_code(user, form.code or "", key)
            return act()

        return await self.with_code(form.code, work)

    async def with_code(self, code: str | None, work: Callable) -> Any:
        """What work that spends a code returns; 400 for a wrong code, 429 after too many."""
        if code is None:
            raise BadFields({"code": "required"})
        gate, name = self.application.gate, self.identity.user.username
        counted = security.looks_like_totp(code)
        if counted:
            gate.begin_code(name)
        try:
            result = await self.store(work)
        except CodeRefused:
            self.application.refusals.count("login.code", self.request.remote_ip, name)
            raise BadFields({"code": "is wrong, or was used before"}) from None
        if counted:
            gate.code_fitted(name)
        return result


class OwnFactor(FactorHandler):
    """/v3/factor: GET tells whether it is on, POST begins it, PUT confirms it with a code."""

    @right(Right.TOKEN)
    @contract({200: answers.FactorState})
    async def get(self) -> None:
        """Tell whether one's second factor is on."""
        user = self.identity.user
        factor = Factor.of(user)
        codes = RecoveryCode.left(user) if factor else 0
        self.reply({"since": factor and factor.since, "recovery_codes": codes})

    @right(Right.FRESH)
    @contract({201: answers.FactorBegun}, FactorForm, refuses=(429,))
    async def post(self) -> None:
        """Begin a second factor."""
        form = check(FactorForm, self.json_body())
        await self.check_password(form.password)
        user = self.identity.user
        key, me = self.application.token_key, self.identity.key

        def begin() -> str:
            access.insist(me)
            return access.begin_factor(user, key)

        secret = await self.store(begin)
        site = self.webhook_url.partition("://")[2].partition("/")[0]
        uri = security.totp_uri(secret, user.username, f"Pairs-API {site}")
        self.reply({"secret": secret, "uri": uri, "qr": _drawn(uri)}, 201)

    @right(Right.FRESH)
    @contract({200: answers.RecoveryCodes}, FactorForm, refuses=(404, 429))
    async def put(self) -> None:
        """Confirm a second factor with a code."""
        form = check(FactorForm, self.json_body())
        user, keep = self.identity.user, self.identity.session.id
        key = self.application.token_key
        confirm = access.confirm_factor, user, form.code or "", key, keep
        codes = await self.with_code(form.code, self.acting("factor.on", "", *confirm))
        self.application.hub.recheck()
        self.reply({"recovery_codes": codes})


def _drawn(text: str) -> str:
    """A QR code as the address of a picture: dark on light in both themes, as cameras need it."""
    import segno

    return segno.make(text, error="m").svg_data_uri(scale=4, border=4, dark="#000", light="#fff")


class FactorOff(FactorHandler):
    """/v3/factor/off: turns one's own second factor off, with the password and a code."""

    @right(Right.FRESH)
    @contract({200: answers.Done}, FactorForm, refuses=(429,))
    async def post(self) -> None:
        """Turn one's second factor off."""
        await self.prove("factor.off", access.drop_factor)
        self.reply({"message": "the second factor is off."})


class FactorCodes(FactorHandler):
    """/v3/factor/codes: replaces one's recovery codes, with the password and a code."""

    @right(Right.FRESH)
    @contract({200: answers.RecoveryCodes}, FactorForm, refuses=(429,))
    async def post(self) -> None:
        """Make new recovery codes."""
        codes = await self.prove("factor.codes", access.renew_recovery_codes)
        self.reply({"recovery_codes": codes})


class FactorList(ListHandler):
    """/v3/factors: the users who have a second factor."""

    list_key = "factors"

    @right(Right.ADMIN)
    @contract({200: [answers.FactorRecord]})
    async def get(self) -> None:
        """List who has a second factor."""
        found = Factor.all_on()
        self.reply_list([{"username": each.user.username, "since": each.since} for each in found])


class OthersFactor(CredentialHandler):
    """/v3/factor/of/{username}: an administrator turns off that of a user who lost all codes."""

    @right(Right.ADMIN)
    @contract({200: answers.Done}, refuses=(404,))
    async def delete(self, username: Username) -> None:
        """Turn another's second factor off."""
        if username == self.identity.user.username:
            raise Refused("turn your own off with your password and a code.")
        await self.act("factor.off", username, access.drop_factor, User.find(username))
        self.reply({"message": "the second factor is off."})


routes = [
    (r"/v3/factor", OwnFactor),
    (r"/v3/factor/off", FactorOff),
    (r"/v3/factor/codes", FactorCodes),
    (r"/v3/factors", FactorList),
    (r"/v3/factor/of/([^/]+)", OthersFactor),
]
