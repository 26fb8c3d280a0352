"""Make, list and retire the passphrases that alerts carry, beside those of the settings.

To change a passphrase: add one, put it into the alerts at TradingView, then retire the old one.
"""

import models
import schemas
import security
from commands.check import PERCENT, breaks_bridges_file
from commands.common import Failed, act, add_action, opened, read_password
from settings import Settings, weak_passphrase

EXAMPLES = """\
  python server.py passphrase add summer       shows the passphrase, this once
  python server.py passphrase add summer --stdin < passphrase.txt
  python server.py passphrase list
  python server.py passphrase retire spring
"""


def arguments(parser) -> None:
    """What to do, and with which."""
    actions = parser.add_subparsers(dest="action", metavar="action", required=True)
    add = add_action(actions, EXAMPLES, "add", "Make a passphrase and show it, this once")
    add.add_argument("--stdin", action="store_true", help="read one of your own from stdin")
    retire = add_action(actions, EXAMPLES, "retire", "Refuse alerts that carry it, at once")
    add_action(actions, EXAMPLES, "list", "List the labels")
    for each in (add, retire):
        each.add_argument("label", metavar="LABEL")


def run(line) -> int:
    """Does it."""
    return _ACTIONS[line.given.action](line.conf, line.given)


def _add(conf: Settings, given) -> int:
    own = read_password("Passphrase", from_stdin=True) if given.stdin else None
    try:
        form = schemas.check(schemas.PassphraseForm, {"label": given.label, "passphrase": own})
    except schemas.BadFields as bad:
        key, reason = next(iter(bad.reasons.items()))
        raise Failed(f"The {key} {reason}.") from None
    if given.stdin and not form.passphrase:
        raise Failed("There was no passphrase on stdin.")
    value = form.passphrase or security.random_id()
    if weak_passphrase(conf.mode, value):
        raise Failed("The passphrase must have at least 8 characters.")
    with opened(conf, makes=True):
        register = models.Passphrase.register
        act(conf, "passphrase.created", form.label, register, form.label, value)
    print(f"Made the passphrase {form.label}." if given.stdin else value)
    if breaks_bridges_file([value]):
        print(PERCENT)
    return 0


def _list(conf: Settings, given) -> int:
    with opened(conf):
        for row in models.Passphrase.select().order_by(models.Passphrase.id):
            used = f"last used {row.last_used}" if row.last_used else "never used"
            retired = f", retired {row.retired}" if row.retired else ""
            print(f"{row.label}: {used}{retired}")
    if conf.passphrases:
        print(f"The settings have {len(conf.passphrases)} more, which are valid too.")
    return 0


def _retire(conf: Settings, given) -> int:
    others = bool(conf.fixed_passphrases)
    with opened(conf):
        retire = models.Passphrase.retire
        try:
            act(conf, "passphrase.retired", given.label, retire, given.label, others=others)
        except models.Missing:
            raise Failed(f"There is no valid passphrase {given.label}.") from None
    print(f"Retired the passphrase {given.label}.")
    return 0


_ACTIONS = {"add": _add, "list": _list, "retire": _retire}
