"""API tokens: made, listed and revoked by their users, and by administrators for them."""

import schemas
from handlers.base import (
    BaseHandler,
    ListHandler,
    Right,
    RowId,
    Username,
    contract,
    right,
    rowid_of,
)
from models import ApiToken, Audit, Missing, User
from schemas import access, answers


class TokenList(ListHandler):
    """/v3/tokens/{username}: a user's API tokens, without their texts."""

    list_key = "tokens"

    @right(Right.ADMIN)
    @contract({200: [access.TokenRecord]}, refuses=(404,))
    async def get(self, username: Username) -> None:
        """List a user's API tokens."""
        self.reply_tokens(User.find(username))

    def reply_tokens(self, user: User) -> None:
        """Answers a user's tokens, newest first."""
        self.reply_list([schemas.token_record(token) for token in ApiToken.of(user)])


class OwnTokens(TokenList):
    """/v3/tokens: GET lists one's own API tokens, POST makes one, whose text is told this once."""

    @right(Right.TOKEN)
    @contract({200: [access.TokenRecord]})
    async def get(self) -> None:
        """List one's own API tokens."""
        self.reply_tokens(self.identity.user)

    @right(Right.FRESH)
    @contract({201: access.TokenMade}, schemas.TokenForm)
    async def post(self) -> None:
        """Make an API token."""
        form = schemas.check(schemas.TokenForm, self.json_body())
        fields = (self.identity.user, form.name, form.scope, form.days)
        subject = f"{form.name} ({form.scope})"
        made, text = await self.act("token.created", subject, ApiToken.make, *fields)
        self.reply({"token": text, **schemas.token_record(made)}, 201)


class OneToken(BaseHandler):
    """/v3/token/{id}: revokes an API token at once, with the sockets that it opened."""

    @right(Right.FRESH)
    @contract({200: answers.Done}, refuses=(404,))
    async def delete(self, rowid: RowId) -> None:
        """Revoke an API token at once."""
        trace, most = self.trace, self.conf.audit_kept
        only = None if self.identity.user.admin else self.identity.user.id
        number = rowid_of(rowid)

        def revoke() -> None:
            token = ApiToken.find(number)
            if only not in (None, token.user_id):
                raise Missing
            ApiToken.revoke(number)
            Audit.note("token.revoked", trace, most, f"{token.user.username}: {token.name}")

        await self.store(revoke)
        self.application.hub.recheck()
        self.reply({"message": "Item deleted"})


routes = [
    (r"/v3/tokens", OwnTokens),
    (r"/v3/tokens/([^/]+)", TokenList),
    (r"/v3/token/([^/]+)", OneToken),
]
