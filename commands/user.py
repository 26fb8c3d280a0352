"""Make, list and remove users, and set their passwords.

A password is asked for, or read with --stdin; it never stands on the command line, where others on
the machine could see it. A new password ends the user's sessions.
"""

import models
import schemas
import security
from commands.common import Failed, act, add_action, opened, read_password
from settings import Settings

EXAMPLES = """\
  python server.py user add mary
  python server.py user add mary --admin
  echo "$PASSWORD" | python server.py user passwd mary --stdin
  python server.py user list
  python server.py user remove mary
"""


def arguments(parser) -> None:
    """What to do, and with whom."""
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)
    add = add_action(actions, EXAMPLES, "add", "Make a user")
    add.add_argument("--admin", action="store_true", help="who may manage users and delete")
    passwd = add_action(actions, EXAMPLES, "passwd", "Set a user's password")
    remove = add_action(actions, EXAMPLES, "remove", "Remove a user; the last administrator stays")
    add_action(actions, EXAMPLES, "list", "List the users")
    for each in (add, passwd, remove):
        each.add_argument("name", metavar="NAME")
    for each in (add, passwd):
        each.add_argument("--stdin", action="store_true", help="read the password from stdin")


def run(line) -> int:
    """Does it."""
    return _ACTIONS[line.given.action](line.conf, line.given)


def _add(conf: Settings, given) -> int:
    with opened(conf, makes=True):
        if models.User.get_or_none(models.User.username == given.name):
            raise Failed(f"There is a user {given.name} already.")
        hashed = _hashed(conf, given)
        register = models.User.register
        act(conf, "user.created", given.name, register, given.name, hashed, given.admin)
    print(f"Made the user {given.name}{', an administrator' if given.admin else ''}.")
    return 0


def _passwd(conf: Settings, given) -> int:
    with opened(conf):
        _find(given.name)
        hashed = _hashed(conf, given)
        rekey = models.User.rekey
        act(conf, "user.password", given.name, rekey, given.name, hashed, None, keep_session="")
    print(f"Set the password of {given.name} and ended all sessions.")
    return 0


def _hashed(conf: Settings, given) -> str:
    password = read_password(f"Password of {given.name}", given.stdin)
    try:
        schemas.check(schemas.UserForm, {"username": given.name, "password": password})
    except schemas.BadFields as bad:
        key, reason = next(iter(bad.reasons.items()))
        raise Failed(f"The {key} {reason}.") from None
    if not conf.demo and len(password) < 8:
        raise Failed("The password must have at least 8 characters.")
    return security.hash_password(password)


def _find(name: str) -> None:
    if not models.User.get_or_none(models.User.username == name):
        raise Failed(f"There is no user {name}.")


def _list(conf: Settings, given) -> int:
    with opened(conf):
        for user in models.User.select().order_by(models.User.username):
            print(f"{user.username}{' (administrator)' if user.admin else ''}")
    return 0


def _remove(conf: Settings, given) -> int:
    with opened(conf):
        _find(given.name)
        act(conf, "user.deleted", given.name, models.User.drop, given.name)
    print(f"Removed the user {given.name}.")
    return 0


_ACTIONS = {"add": _add, "passwd": _passwd, "list": _list, "remove": _remove}
