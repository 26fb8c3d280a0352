// How a pair is held, in words: its hedge, what is missing, what an order is still filling.
import { page } from "./dom.js"
import { minutesSince, money, number } from "./format.js"

export const cash = (x, code) => code ? money(x, code, Number.isInteger(x) ? 0 : 2) : ""
const rounded = (x, places) => typeof x === "number" && Math.abs(x) < 1e11 ? Math.floor(x * 10 ** places + 0.5) / 10 ** places : x
const ratio = x => number(rounded(x, 4))
export const price = x => Math.abs(x) < 1 ? number(rounded(x, Math.abs(x) < 0.01 ? 6 : 4), 4) : number(rounded(x, 2), 2)

// Whether a working order explains what a pair holds; one that hangs for alarm_minutes does not explain a missing leg.
export const isFilling = ({ broken, working }) => Boolean(working) && !(broken && minutesSince(working.since) >= page.alarm_minutes)

export function pill(record) {
  const { mark, hedge, actual_hedge: actual, legs, working } = record
  if (isFilling(record)) return `Filling ${number(working.filled)} of ${number(working.size)}`
  if (mark === "off") return `Off by ${number(rounded(100 * Math.abs(actual - hedge) / hedge + 1e-9, 1)).replace(/^0$/, "less than 0.1")} %`
  const [held, missing] = mark === "leg missing" ? legs : [...legs].reverse()
  const alone = held.expected === 0 ? `${held.symbol} left over` : `${missing.symbol} missing`
  return { flat: "Flat", fine: "Hedged", wrong: "Wrong" }[mark] ?? alone
}

// "0.9 for 0.5": what is held of leg 2 for each of leg 1, and what the registry says.
export function ratios(record) {
  const { mark, hedge, actual_hedge: actual } = record
  if (isFilling(record)) return ""
  return ["off", "wrong"].includes(mark) ? `${ratio(actual)} for ${number(hedge)}` : number(hedge)
}

export function unhedged(record) {
  const { unhedged: shares, unhedged_leg: n, unhedged_amount: cost, legs } = record
  const leg = legs[n - 1]
  if (!leg || isFilling(record)) return ""
  const worth = cash(cost && Math.abs(cost), leg.currency).replace("+", "")
  return `${number(Math.abs(shares))} ${leg.symbol} ${shares < 0 ? "short" : "long"} unhedged${worth && `, ${worth}`}`
}
