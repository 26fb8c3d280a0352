"""The passphrases of alerts, and the texts to copy that carry one: an alert, the bridge's file."""

import json
import time
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Any

import security
from handlers.base import BaseHandler
from handlers.contract import Label, Right, contract, right
from handlers.errors import ApiError
from handlers.gate import Rarely
from handlers.lists import ListHandler
from models import Passphrase, PassphraseUse
from schemas import answers
from schemas.requests import PassphraseForm, TemplateQuery
from schemas.values import BadFields, check
from services import access
from settings import ROOT, Settings, weak_passphrase
from trading import instants

_UTF8 = ("utf-8", "surrogatepass")  # a sender may write half of a pair of surrogates
KEPT = 1.0  # seconds that the valid passphrases are kept for, or until one changes


class Passphrases:
    """The valid passphrases, of the settings and of the database; every alert is checked here.

    Those of the settings are known by a digest, those of the database by an id.
    """

    def __init__(self, conf: Settings, token_key: str, note: Callable):
        """`note` is `PairsApplication.note`."""
        self._note = note
        self._noted = Rarely(60)
        self._fixed = [
            (security.keyed_digest(token_key, text), text) for text in conf.fixed_passphrases
        ]
        self._texts: list[str] = []
        self._known: dict[bytes, tuple[int | str, bool]] = {}
        self._until = 0.0

    def texts(self) -> list[str]:
        """The valid passphrases, those of the settings first."""
        if time.monotonic() > self._until:
            self._ask()
        return self._texts

    def accepts(self, given: Any) -> bool:
        """Whether this is a valid passphrase; its use is noted, once a minute at the most."""
        if time.monotonic() > self._until:
            self._ask()
        if not isinstance(given, str):
            return False
        # Found by its hash, so that the time it takes tells nothing of the valid ones.
        name, unnoted = self._known.get(sha256(given.encode(*_UTF8)).digest(), (None, False))
        if unnoted and self._noted.due(name):
            of_settings = isinstance(name, str)
            work = access.touch_setting if of_settings else partial(access.touch, Passphrase)
            self._note(partial(work, name), self.forget)
        return name is not None

    def _ask(self) -> None:
        """Reads the valid passphrases, and which of them were not used in the last minute."""
        used, recent = PassphraseUse.all(), instants.ago(60)
        fixed = [(digest, text, used.get(digest)) for digest, text in self._fixed]
        valid = fixed + Passphrase.valid_values()
        self._texts = [text for _, text, _ in valid]
        self._known = {
            sha256(text.encode(*_UTF8)).digest(): (name, (last_used or "") < recent)
            for name, text, last_used in valid
        }
        self._until = time.monotonic() + KEPT

    def forget(self, *_: Any) -> None:
        """Lets the database be read again: a passphrase was made, used or retired."""
        self._until = 0.0

    def fixed_used(self) -> list[str | None]:
        """When each passphrase of the settings was last used, in their order."""
        used = PassphraseUse.all()
        return [used.get(digest) for digest, _ in self._fixed]


class PassphraseRegister(ListHandler):
    """/v3/passphrases: POST makes a passphrase, GET lists them without their texts.

    Those of the settings are listed last; to retire one, remove it from the settings.
    """

    list_key = "passphrases"

    @right(Right.ADMIN, scope="admin")
    @contract({200: [answers.PassphraseRecord]})
    async def get(self) -> None:
        """List the passphrases without their texts."""
        rows = Passphrase.select().order_by(Passphrase.id.desc())
        made = [(row.label, row.last_used, row.retired, "page") for row in rows]
        used = self.application.passphrases.fixed_used()
        fixed = [(f"settings {n}", last, None, "settings") for n, last in enumerate(used, 1)]
        keys = ("label", "last_used", "retired", "origin")
        self.reply_list([dict(zip(keys, row, strict=True)) for row in made + fixed])

    @right(Right.ADMIN, scope="admin")
    @contract({201: answers.PassphraseMade}, PassphraseForm)
    async def post(self) -> None:
        """Make a passphrase."""
        form = check(PassphraseForm, self.json_body())
        value = form.passphrase or security.random_id()
        if weak_passphrase(self.conf.mode, value):
            raise BadFields({"passphrase": "must have at least 8 characters"})
        await self.act(
            "passphrase.created", form.label, access.register_passphrase, form.label, value
        )
        self.application.passphrases.forget()
        self.reply({"message": "'passphrase' created successfully.", "passphrase": value}, 201)


class OnePassphrase(BaseHandler):
    """/v3/passphrase/{label}: retires a passphrase at once."""

    @right(Right.ADMIN, scope="admin")
    @contract({200: answers.Done}, refuses=(404,))
    async def delete(self, label: Label) -> None:
        """Retire a passphrase at once."""
        others = bool(self.conf.fixed_passphrases)
        await self.act("passphrase.retired", label, access.retire_passphrase, label, others=others)
        self.application.passphrases.forget()
        self.reply({"message": "Item retired"})


class TextToCopy(BaseHandler):
    """A handler of a text that carries a passphrase, which is masked until it is asked for."""

    @property
    def reveals(self) -> bool:
        """Whether the secrets are asked for."""
        return self.query(TemplateQuery).reveal == "1"

    def packed(self, data: bytes) -> bytes:
        """The answer as it is: how well it can be compressed would tell something of the secret."""
        return data

    def passphrase(self) -> str:
        """The first valid passphrase, or stars; 400 where there is none."""
        valid = self.application.passphrases.texts()
        if not valid:
            raise ApiError(400, "there is no valid passphrase; make one first.")
        return valid[0] if self.reveals else "***"


class AlertTemplate(TextToCopy):
    """/v3/template: what to paste into TradingView; ?reveal=1 shows the passphrase."""

    @right(Right.FRESH, scope="admin")
    @contract({200: answers.AlertTemplate}, query=TemplateQuery)
    async def get(self) -> None:
        """Give the alert template."""
        value = self.passphrase()
        text = (ROOT / "local" / "webhook.json").read_text("utf-8")
        masked = text.replace('"webhook"', json.dumps(value), 1)
        self.reply({"template": masked, "webhook_url": self.webhook_url, "passphrase": value})


class BridgeFile(TextToCopy):
    """/v3/bridge/config: the bridge's config_private.ini; ?reveal=1 shows passphrase and key."""

    @right(Right.FRESH, scope="admin")
    @contract({200: answers.BridgeFile}, query=TemplateQuery)
    async def get(self) -> None:
        """Give the bridge's configuration."""
        text = (ROOT / "local" / "config_private.ini").read_text("utf-8")
        passphrase = self.passphrase().replace("%", "%%")  # as the file wants it
        filled = text.format(passphrase=passphrase, site=self._site())
        self.reply({"config": filled, "refused": self.conf.bridge_is_refused})

    def _site(self) -> str:
        """Our address, with a bridge key where visitors may not read."""
        site = self.webhook_url.removesuffix("/v3/webhook")
        if self.conf.visitors_read or not self.conf.bridge_keys:
            return site
        key = self.conf.bridge_keys[0] if self.reveals else "***"
        return site.replace("://", f"://bridge:{key}@", 1)


routes = [
    (r"/v3/passphrases", PassphraseRegister),
    (r"/v3/passphrase/([^/]+)", OnePassphrase),
    (r"/v3/template", AlertTemplate),
    (r"/v3/bridge/config", BridgeFile),
]
