"""Positions on the wire."""

from typing import Any

from schemas.values import Record, plain


def _holding(holding: Any) -> Record:
    return {
        "symbol": holding.symbol,
        "active_pos": plain(holding.position),
        "active_cost": plain(holding.cost),
        "active_pnl": plain(holding.pnl),
        "currency": holding.currency,
    }


def _together(legs: Any) -> float | None:
    """The PnL of both legs; None where that of one is not known."""
    return None if None in (legs[0].pnl, legs[1].pnl) else legs[0].pnl + legs[1].pnl


def _pair(held: Any) -> Record:
    legs, hedge = held.legs, held.hedge
    same = legs[0].currency == legs[1].currency
    return {
        "name": held.pair.name,
        "active": held.pair.status,
        "hedge": plain(held.pair.hedge),
        "actual_hedge": plain(hedge.actual),
        "mark": hedge.mark,
        "active_pnl": plain(_together(legs)) if same else None,
        "currency": legs[0].currency if same else None,
        "unhedged_leg": hedge.leg,
        "unhedged": plain(hedge.unhedged),
        "unhedged_amount": plain(hedge.amount),
        "legs": [_holding(leg) for leg in legs],
    }


def positions_record(held: Any) -> Record:
    """All positions: pairs (a sum only where both legs have one currency), singles, totals.

    `expected` is what the strategies' alerts add up to for each symbol, `unregistered` what is held
    of symbols that the registry does not know.
    """
    return {
        "pairs": [_pair(each) for each in held.pairs],
        "singles": [_holding(each) for each in held.singles],
        "totals": [
            {
                "currency": total.currency,
                "active_pnl": plain(total.pnl),
                "long": plain(total.long),
                "short": plain(total.short),
                "unknown": list(total.unknown),
            }
            for total in held.totals
        ],
        "expected": [
            {
                "symbol": each.symbol,
                "expected": plain(each.expected),
                "active_pos": plain(each.held),
            }
            for each in held.expected
        ],
        "unregistered": [
            {
                "symbol": each.symbol,
                "active_pos": plain(each.active_pos),
                "active_cost": plain(each.active_cost),
                "active_pnl": plain(each.active_pnl),
                "reported": each.reported,
            }
            for each in held.unregistered
        ],
    }
