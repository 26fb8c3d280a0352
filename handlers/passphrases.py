"""The passphrases of alerts, and the alert template that carries one."""

import schemas
import security
from handlers.base import ApiError, BaseHandler, Label, ListHandler, Right, contract, right
from models import Passphrase
from schemas import access, answers
from settings import ROOT, weak_passphrase


class PassphraseRegister(ListHandler):
    """/v3/passphrases: POST makes a passphrase, GET lists them without their texts.

    Those of the settings are listed last; they are retired by whoever writes the settings.
    """

    list_key = "passphrases"

    @right(Right.ADMIN, scope="admin")
    @contract({200: [access.PassphraseRecord]})
    async def get(self) -> None:
        """List the passphrases without their texts."""
        rows = Passphrase.select().order_by(Passphrase.id.desc())
        made = [(row.label, row.last_used, row.retired, "page") for row in rows]
        used = self.application.passphrases.fixed_used()
        fixed = [(f"settings {n}", last, None, "settings") for n, last in enumerate(used, 1)]
        keys = ("label", "last_used", "retired", "origin")
        self.reply_list([dict(zip(keys, row, strict=True)) for row in made + fixed])

    @right(Right.ADMIN, scope="admin")
    @contract({201: access.PassphraseMade}, schemas.PassphraseForm)
    async def post(self) -> None:
        """Make a passphrase."""
        form = schemas.check(schemas.PassphraseForm, self.json_body())
        value = form.passphrase or security.random_id()
        if weak_passphrase(self.conf.mode, value):
            raise schemas.BadFields({"passphrase": "must have at least 8 characters"})
        await self.act("passphrase.created", form.label, Passphrase.register, form.label, value)
        self.application.passphrases.forget()
        self.reply({"message": "'passphrase' created successfully.", "passphrase": value}, 201)


class OnePassphrase(BaseHandler):
    """/v3/passphrase/{label}: retires a passphrase at once."""

    @right(Right.ADMIN, scope="admin")
    @contract({200: answers.Done}, refuses=(404,))
    async def delete(self, label: Label) -> None:
        """Retire a passphrase at once."""
        others = bool(self.conf.fixed_passphrases)
        await self.act("passphrase.retired", label, Passphrase.retire, label, others=others)
        self.application.passphrases.forget()
        self.reply({"message": "Item retired"})


class AlertTemplate(BaseHandler):
    """/v3/template: what to paste into TradingView; ?reveal=1 shows the passphrase."""

    @right(Right.FRESH, scope="admin")
    @contract({200: access.AlertTemplate}, query=schemas.TemplateQuery)
    async def get(self) -> None:
        """Give the alert template."""
        valid = [value for _, value, _ in self.application.passphrases.valid()]
        if not valid:
            raise ApiError(400, "there is no valid passphrase; make one first.")
        value = valid[0] if self._reveals() else "***"
        text = (ROOT / "local" / "webhook.json").read_text("utf-8")
        masked = text.replace('"webhook"', schemas.json_text(value), 1)
        self.reply({"template": masked, "webhook_url": self.webhook_url})

    def _reveals(self) -> bool:
        return self.query(schemas.TemplateQuery).reveal == "1"


routes = [
    (r"/v3/passphrases", PassphraseRegister),
    (r"/v3/passphrase/([^/]+)", OnePassphrase),
    (r"/v3/template", AlertTemplate),
]
