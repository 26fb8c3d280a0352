"""Make, list and retire the passphrases that alerts carry, beside those of the settings.

To change a passphrase: add one, put it into the alerts at TradingView, then retire the old one.

examples:
  python server.py passphrase add summer       shows the passphrase, this once
  python server.py passphrase add summer --stdin < passphrase.txt
  python server.py passphrase list
  python server.py passphrase retire spring
"""

import models
import security
from commands.common import (
    PERCENT,
    Failed,
    act,
    add_action,
    breaks_bridges_file,
    checked,
    opened,
    read_password,
)
from schemas.requests import PassphraseForm
from services import access
from settings import weak_passphrase


def register(add) -> None:
    """Adds the command passphrase and its actions."""
    parser = add("passphrase", __doc__)
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)
    make = add_action(actions, __doc__, "add", "Make a passphrase and show it, this once", _add)
    make.add_argument("--stdin", action="store_true", help="read one of your own from stdin")
    at_once = "Refuse alerts that carry it, at once"
    retire = add_action(actions, __doc__, "retire", at_once, _retire)
    add_action(actions, __doc__, "list", "List the labels", _list)
    for each in (make, retire):
        each.add_argument("label", metavar="LABEL")


def _add(line) -> int:
    label, stdin = line.given.label, line.given.stdin
    own = read_password("Passphrase", from_stdin=True) if stdin else None
    form = checked(PassphraseForm, {"label": label, "passphrase": own})
    if stdin and not form.passphrase:
        raise Failed("There was no passphrase on stdin.")
    value = form.passphrase or security.random_id()
    if weak_passphrase(line.conf.mode, value):
        raise Failed("The passphrase must have at least 8 characters.")
    with opened(line.conf, makes=True):
        register = access.register_passphrase
        act(line.conf, "passphrase.created", form.label, register, form.label, value)
    print(f"Made the passphrase {form.label}." if stdin else value)
    if breaks_bridges_file([value]):
        print(PERCENT)
    return 0


def _retire(line) -> int:
    label, others = line.given.label, bool(line.conf.fixed_passphrases)
    with opened(line.conf):
        retire = access.retire_passphrase
        try:
            act(line.conf, "passphrase.retired", label, retire, label, others=others)
        except models.Missing:
            raise Failed(f"There is no valid passphrase {label}.") from None
    print(f"Retired the passphrase {label}.")
    return 0


def _list(line) -> int:
    with opened(line.conf):
        for row in models.Passphrase.select().order_by(models.Passphrase.id):
            used = f"last used {row.last_used}" if row.last_used else "never used"
            retired = f", retired {row.retired}" if row.retired else ""
            print(f"{row.label}: {used}{retired}")
    if line.conf.passphrases:
        print(f"The settings have {len(line.conf.passphrases)} more, which are valid too.")
    return 0
