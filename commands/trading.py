"""Show or set which alerts are traded: the mode of trading, and the limits.

`on` trades every alert, `ask` holds entries and reversals until a person approves them, `exits`
trades exits only, `off` trades nothing. What waits follows a stricter mode at once.

examples:
  python server.py trading
  python server.py trading exits --reason "Fed at 20:00"
  python server.py trading on
  python server.py trading limits
  python server.py trading limits entries=20 loss=2500 open=none
"""

from commands.common import CONSOLE, Failed, act, checked, opened
from schemas.forms import LimitsForm, ModeForm
from services import decisions
from services.decisions import policy_of
from trading.guards import MODE_WORDS, MODES, Limits

LIMITS = "limits"
_WORDS = {  # what a limit is, in words
    "entries": "entries a day",
    "ticker_entries": "entries a day of one ticker",
    "contracts": "contracts of one order that enters",
    "value": "value of one order of a single",
    "open": "pairs and singles open at once",
    "loss": "loss of a day",
    "drawdown": "loss since the highest net liquidation",
}


def register(add) -> None:
    """Adds the command trading."""
    parser = add("trading", __doc__, run)
    parser.add_argument(
        "word", nargs="?", choices=(*MODES, LIMITS), metavar="MODE", help=", ".join(MODES)
    )
    parser.add_argument("values", nargs="*", metavar="LIMIT=NUMBER", help="after the word limits")
    parser.add_argument("--reason", metavar="TEXT", help="why the mode is set; pages show it")


def run(line) -> int:
    """Shows the mode and the limits, after it has set what the command line says."""
    word, values = line.given.word, line.given.values
    if values and word != LIMITS:
        raise Failed("Numbers go with the word limits: trading limits entries=20.")
    if line.given.reason and word not in MODES:
        raise Failed("A reason goes with a mode: trading exits --reason TEXT.")
    with opened(line.conf):
        if word in MODES:
            _set_mode(line)
        elif values:
            _set_limits(line)
        state = decisions.state(policy_of(line.conf))
    _print_limits(state) if word == LIMITS else _print_mode(state)
    return 0


def _set_mode(line) -> None:
    form = checked(ModeForm, {"mode": line.given.word, "reason": line.given.reason})
    done: dict[str, int] = {}

    def work() -> None:
        who = CONSOLE.who
        done.update(decisions.set_mode(form.mode, form.reason, who, who))

    act(line.conf, "trading.mode", form.mode, work)
    for name, words in (("canceled", "canceled"), ("held", "held"), ("cut", "cut to their exit")):
        if done[name]:
            print(f"{done[name]} of the signals that waited: {words}.")


def _set_limits(line) -> None:
    sent = {}
    for text in line.given.values:
        name, sign, value = text.partition("=")
        if not sign or name not in Limits._fields:
            raise Failed(f"{text} is no limit; allowed are {', '.join(Limits._fields)} with =.")
        sent[name] = None if value == "none" else value
    fields = checked(LimitsForm, sent).columns()
    act(
        line.conf,
        "trading.limits",
        " ".join(line.given.values),
        decisions.set_limits,
        fields,
        CONSOLE.who,
    )


def _print_mode(state) -> None:
    since = f" since {state['since']} UTC, by {state['by']}" if state["since"] else ""
    reason = f": {state['reason']}" if state["reason"] else ""
    print(f"Mode {state['mode']}{since}{reason}. {MODE_WORDS[state['mode']]}")
    print(
        f"Waiting: {state['waiting']}. Held: {state['held']}. At the broker: {state['at_broker']}."
    )
    for name, mode in state["tickers"].items():
        print(f"{name}: {mode}")


def _print_limits(state) -> None:
    used = state["today"]
    for name, most in state["limits"].items():
        now = used.get(name)
        shown = "none" if most is None else f"{most:,.10g}"
        today = f", now {now:,.10g}" if isinstance(now, int | float) else ""
        print(f"{name}: {shown}{today} ({_WORDS[name]})")
