// Fills one row of the table from a signal's record.
import { clock, exact, minutesSince } from "./clock.js"
import { flag, put } from "./dom.js"
import { capital, favour, money, number, signed, span } from "./format.js"
import { kind, message, name, open, word } from "./status.js"

function partsOf(tr) {
  if (tr.parts) return tr.parts
  const parts = tr.parts = {}
  for (const cell of tr.cells) parts[cell.dataset.field] = cell
  const inner = { link: "a", time: "time", age: ".age", symbol: ".symbol", hedge: ".hedge", pill: ".pill", word: ".word", wait: ".wait", message: ".message", share: ".share", money: ".money" }
  for (const [key, selector] of Object.entries(inner)) parts[key] = tr.querySelector(selector)
  return parts
}

export function age(tr, signal, settings) {
  const parts = partsOf(tr)
  const minutes = minutesSince(signal.timestamp)
  const waiting = kind(signal) === "waiting"
  put(parts.age, span(minutes))
  put(parts.wait, waiting ? span(minutes) : "")
  flag(parts.pill, "data-late", waiting && minutes > settings.alarm)
}

export function fill(tr, s, settings) {
  const parts = partsOf(tr)
  tr.dataset.rowid = s.rowid
  flag(tr, "data-today", s.timestamp >= settings.today)
  flag(tr, "data-open", open(s))
  put(parts.link, s.rowid)
  parts.link.setAttribute("aria-label", `Signal ${s.rowid}`)
  parts.link.href = settings.href(s.rowid)
  put(parts.time, clock(s.timestamp, settings.today))
  parts.time.dateTime = `${s.timestamp.replace(" ", "T")}Z`
  parts.time.title = exact(s.timestamp)
  put(parts.symbol, name(s))
  put(parts.hedge, s.ticker_type === "pair" ? number(s.hedge_param) : "")
  parts.ticker.title = s.ticker
  put(parts.comment, s.order_comment)
  parts.comment.title = s.order_comment ?? ""
  put(parts.action, capital(s.order_action))
  parts.action.dataset.action = s.order_action
  put(parts.quantity, number(s.order_contracts))
  put(parts.price, number(s.order_price, 2))
  parts.pill.dataset.kind = kind(s)
  put(parts.word, word(s))
  put(parts.message, message(s))
  parts.status.title = [s.order_status, message(s)].filter(Boolean).join(": ")
  put(parts.fill, number(s.fill_price, 2))
  put(parts.share, signed(s.slip))
  put(parts.money, slipMoney(s, settings))
  flag(parts.slip, "data-favour", favour(s.slip))
  age(tr, s, settings)
}

export const slipMoney = (s, settings) => typeof s.slip === "number" && typeof s.order_contracts === "number"
  ? money(s.slip * s.order_contracts, settings.currencies[s.stk_ticker1] ?? "USD") : ""
