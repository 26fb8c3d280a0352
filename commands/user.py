"""Make, list and remove users, and set their passwords.

A password is asked for, or read with --stdin; it never stands on the command line, where others on
the machine could see it. A new password ends the user's sessions.

examples:
  python server.py user add mary
  python server.py user add mary --admin
  echo "$PASSWORD" | python server.py user passwd mary --stdin
  python server.py user list
  python server.py user remove mary
"""

import models
import security
from commands.common import Failed, act, add_action, checked, is_known, opened, read_password
from schemas.requests import UserForm
from services import access


def register(add) -> None:
    """Adds the command user and its actions."""
    parser = add("user", __doc__)
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)
    make = add_action(actions, __doc__, "add", "Make a user", _add)
    make.add_argument("--admin", action="store_true", help="who may manage users and delete")
    passwd = add_action(actions, __doc__, "passwd", "Set a user's password", _passwd)
    last = "Remove a user; the last administrator stays"
    remove = add_action(actions, __doc__, "remove", last, _remove)
    add_action(actions, __doc__, "list", "List the users", _list)
    for each in (make, passwd, remove):
        each.add_argument("name", metavar="NAME")
    for each in (make, passwd):
        each.add_argument("--stdin", action="store_true", help="read the password from stdin")


def _add(line) -> int:
    name, admin = line.given.name, line.given.admin
    with opened(line.conf, makes=True):
        if is_known(models.User, name):
            raise Failed(f"There is a user {name} already.")
        register = access.register_user
        act(line.conf, "user.created", name, register, name, _hashed(line), admin)
    print(f"Made the user {name}{', an administrator' if admin else ''}.")
    return 0


def _passwd(line) -> int:
    name = line.given.name
    with opened(line.conf):
        _refuse_unknown(name)
        rekey = access.change_password
        act(line.conf, "user.password", name, rekey, name, _hashed(line), None, keep_session="")
    print(f"Set the password of {name} and ended all sessions.")
    return 0


def _remove(line) -> int:
    name = line.given.name
    with opened(line.conf):
        _refuse_unknown(name)
        act(line.conf, "user.deleted", name, access.delete_user, name)
    print(f"Removed the user {name}.")
    return 0


def _list(line) -> int:
    with opened(line.conf):
        for user in models.User.select().order_by(models.User.username):
            print(f"{user.username}{' (administrator)' if user.admin else ''}")
    return 0


def _hashed(line) -> str:
    """Reads a password from the terminal or stdin; returns its hash. Raises Failed if it is bad."""
    name = line.given.name
    password = read_password(f"Password of {name}", line.given.stdin)
    checked(UserForm, {"username": name, "password": password})
    if not line.conf.demo and len(password) < 8:
        raise Failed("The password must have at least 8 characters.")
    return security.hash_password(password)


def _refuse_unknown(name: str) -> None:
    if not is_known(models.User, name):
        raise Failed(f"There is no user {name}.")
