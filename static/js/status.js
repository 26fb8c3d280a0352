// What the record of a signal says: its status and colour, how much is filled, what the bridge's messages mean, what slippage cost.
import { el, flag, page } from "./dom.js"
import { favour, money, number, signed } from "./format.js"

const { kinds, not_traded, ruled, meanings = [] } = page.words
const patterns = meanings.map(([pattern, words, mends]) => [new RegExp(pattern, "u"), words, mends])

// Hides the second names of four fields.
export const shown = ([field]) => !["ticker1", "ticker2", "price1", "price2"].includes(field)

export const isNotTraded = ({ order_status, status_msg }) => ["canceled", "error"].includes(order_status)
  && (not_traded.includes(status_msg) || ruled.some(begins => (status_msg ?? "").startsWith(begins)))

export const kind = signal => signal.order_status === "canceled" && isNotTraded(signal) ? "refused" : kinds[signal.order_status] ?? "other"
export const open = signal => ["waiting", "held", "working", "part"].includes(kind(signal))

// "6 of 10", read from the message of a partial fill; "" if the message does not say it.
function progress(signal) {
  if (signal.order_status !== "part.filled") return ""
  const [, what, leg, left] = /^(canceled amount|remained)(?:\((.*)\))?: ([\d.]+)$/.exec(signal.status_msg ?? "") ?? []
  if (!what) return ""
  const contracts = signal.order_contracts
  const second = leg && leg === signal.stk_ticker2
  const size = what === "canceled amount" ? contracts + +left : second ? Math.floor(contracts * signal.hedge_param) : contracts
  return size >= left && size < 1e300 ? `${number(size - left)} of ${number(size)}` : ""
}

export const word = signal => progress(signal) || (kind(signal) === "refused" ? "not traded" : signal.order_status) || ""

// A message in plain words; {1} in them is the first group of the pattern.
function meaning(text) {
  for (const [pattern, words] of patterns) {
    const found = pattern.exec(text)
    if (found) return words.replace(/\{(\d)\}/g, (_, n) => found[n] ?? "")
  }
  return text
}

// What makes sense before a signal is offered again: register, activate, hedge, offer, or null where it should not be.
export function remedy({ order_status, status_msg, stk_price1, stk_price2 }) {
  if (!["error", "canceled"].includes(kinds[order_status]) || stk_price1 !== null || stk_price2 !== null) return null
  const known = patterns.find(([pattern]) => pattern.test(status_msg ?? ""))
  return known ? known[2] : "offer"
}

const joined = signal => [signal.status_msg, signal.error_msg].map(text => (text ?? "").trim()).filter(Boolean)
export const original = signal => joined(signal).join(" · ")
export const message = signal => joined(signal).map(meaning).join(" · ")

export const name = signal => signal.ticker_type === "pair" && signal.stk_ticker2
  ? `${signal.stk_ticker1}-${signal.stk_ticker2}` : signal.stk_ticker1 || signal.ticker

export const slipMoney = s => typeof s.slip === "number" && typeof s.order_contracts === "number"
  ? money(s.slip * s.order_contracts, page.currencies[s.stk_ticker1] ?? "USD") : ""

// What slippage cost: the money of each currency, with its basis points.
export function cost(place, slippage) {
  place.replaceChildren(...Object.entries(slippage).flatMap(([code, { money: sum, bp }]) => {
    const span = el("span", money(sum, code))
    flag(span, "data-favour", favour(sum))
    if (typeof bp === "number") span.append(" ", el("small", `${signed(bp, "", 1)} bp`))
    return [span, " "]
  }))
}
