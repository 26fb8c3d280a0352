// A table of trips, for all tickers and for one.
import { capital, money, number } from "./format.js"
import { cash, count, lasted, price, Sheet, when } from "./sheets.js"

// The signals of a trip: the first and the last, and how many there are.
function signals({ signals, ticker }) {
  const link = rowid => ({ text: `${rowid}`, href: `/dashboard?signal=${rowid}` })
  const value = signals.join(" ")
  if (signals.length < 4) return { parts: signals.map(link), value }
  return { parts: [link(signals[0]), "…", link(signals.at(-1)), { text: `(${number(signals.length)})`, href: `/list?ticker_webhook=${encodeURIComponent(ticker)}` }], value }
}

const cells = {
  side: ({ side, incomplete }) => capital(side) + (incomplete ? ", incomplete" : ""),
  opened: ({ opened }) => when(opened), closed: ({ closed }) => closed ? when(closed) : { text: "open", value: "" },
  held: ({ held_s: x }) => ({ text: lasted(x), value: x }), contracts: ({ contracts }) => count(contracts), entry: ({ entry }) => price(entry), exit: ({ exit }) => price(exit),
  pnl: row => row.pnl || row.closed ? cash(row.pnl, row.currency) : { value: row.pnl }, currency: row => row.currency ?? "", slip: row => cash(row.slip_money, row.currency),
  commission: row => ({ text: money(row.commission_est, row.currency).replace("+", ""), value: row.commission_est }), signals,
}

export const keyOf = ({ ticker, opened, signals }) => `${ticker} ${opened} ${signals[0]}`

export class Trips extends Sheet {
  constructor(more, options) { super("trips", { ...cells, ...more }, { noun: "trip", ...options }) }

  draw(trips, more) { super.draw(trips.map(trip => ({ ...trip, key: keyOf(trip), kind: trip.closed ? null : "open" })), more) }
}
