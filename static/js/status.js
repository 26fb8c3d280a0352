// What a status means: its colour, whether the order is open, and how much of it is filled.
import { number } from "./format.js"

const kinds = {
  waiting: "waiting", rerouted: "waiting", created: "working", "filled(...)": "working", filled: "filled",
  "part.filled": "part", canceled: "canceled", error: "error", "critical err": "error",
}

// Hides the second names of four fields.
export const shown = ([field]) => !["ticker1", "ticker2", "price1", "price2"].includes(field)

export const kind = signal => Object.hasOwn(kinds, signal.order_status) ? kinds[signal.order_status] : "other"
export const open = signal => ["waiting", "working", "part"].includes(kind(signal))

// "6 of 10", read from the message of a partial fill; "" if the message does not say it.
export function progress(signal) {
  if (signal.order_status !== "part.filled") return ""
  const [, what, leg, left] = /^(canceled amount|remained)(?:\((.*)\))?: ([\d.]+)$/.exec(signal.status_msg ?? "") ?? []
  if (!what) return ""
  const contracts = signal.order_contracts
  const second = leg && leg === signal.stk_ticker2
  const size = what === "canceled amount" ? contracts + +left : second ? Math.floor(contracts * signal.hedge_param) : contracts
  return size >= left && size < 1e300 ? `${number(size - left)} of ${number(size)}` : ""
}

export const word = signal => progress(signal) || signal.order_status || ""

export const message = signal =>
  [signal.status_msg, signal.error_msg].map(text => (text ?? "").trim()).filter(Boolean).join(" · ")

export const name = signal => signal.ticker_type === "pair" && signal.stk_ticker2
  ? `${signal.stk_ticker1}-${signal.stk_ticker2}` : signal.stk_ticker1 || signal.ticker
