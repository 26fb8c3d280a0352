"""Users and their API tokens."""

from handlers.base import BaseHandler, CredentialHandler
from handlers.contract import Count, Right, RowId, Username, contract, right
from handlers.lists import ListHandler, count_of, rowid_of
from models import ApiToken, Missing, User, record_of
from schemas import answers
from schemas.requests import TokenForm, UserForm
from schemas.values import BadFields, check
from services import access


class UserRegister(CredentialHandler):
    """/v3/reguser: POST makes a user, PUT sets a new password or makes the user."""

    @right(Right.ADMIN)
    @contract({201: answers.Done}, UserForm)
    async def post(self) -> None:
        """Make a user."""
        form = check(UserForm, self.json_body())
        hashed = await self.hashed(form.password)
        fields = (form.username, hashed, form.admin or False)
        await self.act("user.created", form.username, access.register_user, *fields)
        self.reply({"message": "'user' created successfully."}, 201)

    @right(Right.FRESH)
    @contract({200: answers.Done, 201: answers.Done}, UserForm, refuses=(429,))
    async def put(self) -> None:
        """Set a new password, or make the user."""
        form = check(UserForm, self.json_body())
        if form.username == self.identity.user.username:
            await self._own_password(form)
        else:
            self.require(Right.ADMIN)
            await self._others_password(form)

    async def _own_password(self, form: UserForm) -> None:
        if form.old_password is None:
            raise BadFields({"old_password": "required"})
        if await self.verify(form.username, form.old_password) is None:
            raise BadFields({"old_password": "incorrect password."})
        # Only another administrator gives rights, never users themselves.
        keep = self.identity.session.id
        fields = (form.username, await self.hashed(form.password), None, keep)
        await self.act("user.password", form.username, access.change_password, *fields)
        self.application.hub.recheck()
        self.reply({"message": "'user' updated successfully."})

    async def _others_password(self, form: UserForm) -> None:
        hashed = await self.hashed(form.password)
        put = access.put_user, form.username, hashed, form.admin
        made = await self.act(_kind_of_put, form.username, *put)
        self.application.hub.recheck()
        word = "created" if made else "updated"
        self.reply({"message": f"'user' {word} successfully."}, 201 if made else 200)


def _kind_of_put(made: bool) -> str:
    return "user.created" if made else "user.changed"


class UserList(ListHandler):
    """/v3/users/{n}: the newest users' names."""

    list_key = "users"

    @right(Right.ADMIN, scope="admin")
    @contract({200: [answers.UserRecord]})
    async def get(self, count: Count) -> None:
        """List the newest users."""
        users = User.page(count_of(count))
        self.reply_list([{"username": user.username, "admin": user.admin} for user in users])


class OneUser(BaseHandler):
    """/v3/user/{username}."""

    @right(Right.ADMIN, scope="admin")
    @contract({200: answers.UserName}, refuses=(404,))
    async def get(self, username: Username) -> None:
        """Read a user."""
        self.reply({"username": User.find(username).username})

    @right(Right.ADMIN)
    @contract({200: answers.Done}, refuses=(404,))
    async def delete(self, username: Username) -> None:
        """Delete a user."""
        await self.act("user.deleted", username, access.delete_user, username)
        self.application.hub.recheck()
        self.reply({"message": "Item deleted"})


class TokenList(ListHandler):
    """/v3/tokens/{username}: a user's API tokens, without their texts."""

    list_key = "tokens"

    @right(Right.ADMIN)
    @contract({200: [answers.TokenRecord]}, refuses=(404,))
    async def get(self, username: Username) -> None:
        """List a user's API tokens."""
        self.reply_tokens(User.find(username))

    def reply_tokens(self, user: User) -> None:
        """Answers a user's tokens, newest first."""
        self.reply_list([record_of("token", token.columns()) for token in ApiToken.of(user)])


class OwnTokens(TokenList):
    """/v3/tokens: GET lists one's own API tokens, POST makes one, whose text is told this once."""

    @right(Right.TOKEN)
    @contract({200: [answers.TokenRecord]})
    async def get(self) -> None:
        """List one's own API tokens."""
        self.reply_tokens(self.identity.user)

    @right(Right.FRESH)
    @contract({201: answers.TokenMade}, TokenForm)
    async def post(self) -> None:
        """Make an API token."""
        form = check(TokenForm, self.json_body())
        fields = (self.identity.user, form.name, form.scope, form.days)
        subject = f"{form.name} ({form.scope})"
        made, text = await self.act("token.created", subject, access.make_token, *fields)
        self.reply({"token": text, **record_of("token", made.columns())}, 201)


class OneToken(BaseHandler):
    """/v3/token/{id}: revokes an API token at once, with the sockets that it opened."""

    @right(Right.FRESH)
    @contract({200: answers.Done}, refuses=(404,))
    async def delete(self, rowid: RowId) -> None:
        """Revoke an API token at once."""
        token, me = ApiToken.find(rowid_of(rowid)), self.identity.user
        if not (me.admin or token.user == me):
            raise Missing
        subject = f"{token.user.username}: {token.name}"
        await self.act("token.revoked", subject, access.revoke_token, token.id)
        self.application.hub.recheck()
        self.reply({"message": "Item deleted"})


routes = [
    (r"/v3/reguser", UserRegister),
    (r"/v3/users/([^/]+)", UserList),
    (r"/v3/user/([^/]+)", OneUser),
    (r"/v3/tokens", OwnTokens),
    (r"/v3/tokens/([^/]+)", TokenList),
    (r"/v3/token/([^/]+)", OneToken),
]
