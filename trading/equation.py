"""Read the equations that charts send as ticker: `AAPL`, `NMFC-0.72*NASDAQ:ROIC`."""

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from trading import exchanges


class Problematic(ValueError):
    """The text is neither a single symbol nor a pair that could be traded."""


class Leg(NamedTuple):
    """One instrument: its symbol in the broker's spelling, and the exchange if one was named."""

    symbol: str
    exchange: str | None = None


@dataclass(frozen=True)
class Equation:
    """A single (leg 2 and hedge are None), or a pair: long leg 1, short `hedge` times leg 2."""

    leg1: Leg
    leg2: Leg | None = None
    hedge: float | None = None

    @property
    def legs(self) -> tuple[Leg, ...]:
        """One or two."""
        return (self.leg1, self.leg2) if self.leg2 else (self.leg1,)

    @property
    def kind(self) -> str:
        """`pair` or `single`."""
        return "pair" if self.leg2 else "single"


class _Token(NamedTuple):
    kind: str  # n (number), s (symbol), or the operator itself: one letter each
    text: str


# Possessive quantifiers (++, *+) never step back, which keeps hostile text linear. They stand at
# single characters only: before Python 3.11.5 those at a group match wrongly.
_TOKEN = re.compile(
    r"""
      (?P<n> (?: \d++ (?: \.\d*+ )? | \.\d++ ) (?: [eE][+-]?\d++ )? (?! [\w&!.:] ) )
    | (?P<s> (?: (?!\d)\w++: )? [\w&!]++ (?: \.[\w&!]++ )*
             (?: (?: \. | [ ][A-Za-z] ) (?! [\w&!.:] ) )? )
    | (?P<operator> [-*/()] )
    """,
    re.ASCII | re.VERBOSE,
)
_MOST_TOKENS = 200  # as many as a ticker has characters
_SPACE = re.compile(r"\s*+", re.ASCII)
_LEG1 = r"s|n\*s|s\*n"
_LEG2 = rf"{_LEG1}|s/n"
_SHAPE = re.compile(rf"(?P<leg1>{_LEG1})(?:-(?P<leg2>{_LEG2}))?")
# Parentheses that change nothing: around an atom, a product that is not multiplied, the whole.
_NEEDLESS = re.compile(
    rf"""
      \( ([ns]) \)
    | (?<![*/]) \( (n\*s|s\*n|s/n) \) (?![*/])
    | (?<![^(]) \( ((?:{_LEG1})-(?:{_LEG2})) \) (?![^)])
    """,
    re.VERBOSE,
)
# The only number-like texts that are symbols: those without dot and sign (700, also 0008E0).
_WHOLE = re.compile(r"\d+(?:[eE]\d+)?", re.ASCII)
_NUMBER_LIKE = re.compile(r"[\d.]+(?:[eE]\d+)?", re.ASCII)
_NUMBER_FIRST = re.compile(r"\d+\.\d+[A-Za-z_&!]", re.ASCII)
_CLASS_SHARE = re.compile(r"(?P<base>.+)(?P<between>[. ])(?P<letter>[A-Za-z])")
# A base of three or more letters or digits, and a currency of three letters.
_CURRENCIES = re.compile(r"(?P<base>[A-Z0-9]{3,})\.?(?P<quote>[A-Z]{3})", re.ASCII)
_HALF_EXPONENT = re.compile(r"[\d.]+[eE]", re.ASCII)
_ANYWHERE = "X"  # an unknown exchange: parse() changes no symbol that stands behind it


@lru_cache(1024)  # the same few texts come all day
def parse(text: str) -> Equation:
    """Read an equation; raises Problematic, and nothing else, if a text has no clear meaning."""
    tokens = _without_parentheses(_tokens(text.strip()))
    kinds = _kinds(tokens)
    if kinds == "n" and _WHOLE.fullmatch(tokens[0].text):
        return Equation(Leg(tokens[0].text))
    shape = _SHAPE.fullmatch(kinds)
    if shape is None:
        raise Problematic("neither a symbol nor a pair")
    leg1_tokens = tokens[slice(*shape.span("leg1"))]
    leg1, weight = _weighted(leg1_tokens)
    # 1E-0*B could be 1*B, or the pair of 1E and 0*B: a weight must have no minus.
    if weight != 1 or any("-" in token.text for token in leg1_tokens):
        raise Problematic("the first leg must have weight 1")
    if shape["leg2"] is None:
        return Equation(leg1)
    if leg1.exchange is None and _HALF_EXPONENT.fullmatch(leg1.symbol):
        # 5E-3*B is 0.005*B, so 5E - 3*B would mean something else without its spaces.
        raise Problematic("the first leg could be part of a number")
    leg2, hedge = _weighted(tokens[slice(*shape.span("leg2"))])
    if not 0 < hedge < math.inf:
        raise Problematic("the hedge must be a positive number")
    return Equation(leg1, leg2, hedge)


def dotted(symbol: str) -> str | None:
    """The broker's spelling of a currency or crypto pair: `USD.CAD`, also for `USDCAD`.

    It is None for a symbol of another shape. Only the registry knows whether one of this shape is
    a currency pair.
    """
    found = _CURRENCIES.fullmatch(symbol)
    return found and f"{found['base']}.{found['quote']}"


@lru_cache(1024)  # asked for all symbols of the registry again and again
def spellings(symbol: str) -> tuple[str, ...]:
    """Every way to write a symbol; most symbols have one only.

    The broker's comes first for a currency pair (`USD.CAD`, `USDCAD`), the given one for a class
    share (`BF B`, `BF.B`).
    """
    if broker := dotted(symbol):
        return broker, broker.replace(".", "")
    if share := _CLASS_SHARE.fullmatch(symbol):
        other = " " if share["between"] == "." else "."
        return symbol, f"{share['base']}{other}{share['letter']}"
    return (symbol,)


def is_symbol(text: str) -> bool:
    """Whether the text is a bare symbol as some broker or exchange spells it.

    That is `AAPL`, `BF B`, `TECK.B`, `BP.`, `EUR.USD`, and every symbol that parse() finds.
    """
    try:
        return parse(f"{_ANYWHERE}:{text}") == Equation(Leg(text, _ANYWHERE))
    except Problematic:
        return False


def _tokens(text: str) -> list[_Token]:
    """Cut the text into tokens; white space counts only inside a class share's symbol."""
    tokens, position = [], 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or len(tokens) == _MOST_TOKENS:
            raise Problematic("neither a symbol nor a pair")
        kind = match[0] if match.lastgroup == "operator" else match.lastgroup
        tokens.append(_Token(kind, match[0]))
        position = _SPACE.match(text, match.end()).end()
    return tokens


def _kinds(tokens: list[_Token]) -> str:
    return "".join(token.kind for token in tokens)


def _without_parentheses(tokens: list[_Token]) -> list[_Token]:
    """The tokens without parentheses; raises Problematic if one matters or has no partner."""
    kinds, before = _kinds(tokens), None
    while kinds != before:  # once for each level of parentheses
        before, kinds = kinds, _NEEDLESS.sub(r"\1\2\3", kinds)
    if "(" in kinds or ")" in kinds:
        raise Problematic("parentheses that change the meaning")
    return [token for token in tokens if token.kind not in "()"]


def _weighted(tokens: list[_Token]) -> tuple[Leg, float]:
    """Read `S`, `n*S`, `S*n` or `S/n` as a leg and its weight, which may be 0 or infinite."""
    by_kind = {token.kind: token.text for token in tokens}
    leg = _leg(by_kind["s"])
    if "n" not in by_kind:
        return leg, 1.0
    number = float(by_kind["n"])
    if "/" not in by_kind:
        return leg, number
    return leg, 1 / number if number else math.inf


def _leg(text: str) -> Leg:
    """Read a symbol token.

    In the United States, and where no exchange is named, the dot before one final letter becomes
    the broker's space.
    """
    exchange, _, symbol = text.rpartition(":")
    share = _CLASS_SHARE.fullmatch(symbol)
    base = share["base"] if share else symbol
    if _NUMBER_LIKE.fullmatch(base) and (share or not _WHOLE.fullmatch(base)):
        raise Problematic("a number in the place of a symbol")
    if _NUMBER_FIRST.match(symbol):
        raise Problematic("a * is missing after a number")
    if share and (not exchange or exchanges.is_us(exchange)):
        symbol = f"{base} {share['letter']}"
    return Leg(symbol, exchange or None)
