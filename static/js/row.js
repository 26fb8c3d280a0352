// Fills a row of the table from the record of a signal.
import { clock, exact, minutesSince } from "./clock.js"
import { $, $$, flag, put } from "./dom.js"
import { capital, favour, money, number, signed, span } from "./format.js"
import { kind, message, name, open, word } from "./status.js"

// The cells of a row by their field, and the elements in them by their class.
function partsOf(tr) {
  if (!tr.parts) {
    tr.parts = { link: $("a", tr), clock: $("time", tr) }
    for (const node of $$("td, span, bdi", tr)) tr.parts[node.dataset.field ?? node.className] = node
  }
  return tr.parts
}

export function age(tr, signal, settings) {
  const parts = partsOf(tr)
  const minutes = minutesSince(signal.timestamp)
  const waiting = kind(signal) === "waiting"
  put(parts.age, span(minutes))
  put(parts.wait, waiting && minutes >= 1 ? span(minutes) : "")
  flag(parts.pill, "data-late", waiting && minutes > settings.alarm)
}

export function fill(tr, s, settings) {
  const parts = partsOf(tr)
  const texts = {
    link: s.rowid, clock: clock(s.timestamp, settings.today), symbol: name(s), hedge: s.ticker_type === "pair" ? number(s.hedge_param) : "",
    comment: s.order_comment, action: capital(s.order_action), quantity: number(s.order_contracts), price: number(s.order_price, 2),
    word: word(s), message: message(s), fill: number(s.fill_price, 2), share: signed(s.slip), money: slipMoney(s, settings),
  }
  for (const [part, text] of Object.entries(texts)) put(parts[part], text)
  const titles = { clock: exact(s.timestamp), ticker: s.ticker, comment: s.order_comment ?? "", status: `${s.order_status} ${texts.message}` }
  for (const [part, text] of Object.entries(titles)) parts[part].title = text
  tr.dataset.rowid = s.rowid
  flag(tr, "data-today", s.timestamp >= settings.today)
  flag(tr, "data-open", open(s) && kind(s))
  flag(parts.slip, "data-favour", favour(s.slip))
  flag(parts.link, "aria-label", `Signal ${s.rowid}`)
  parts.link.href = `?signal=${s.rowid}`
  parts.clock.dateTime = `${s.timestamp.replace(" ", "T")}Z`
  parts.action.dataset.action = s.order_action
  parts.pill.dataset.kind = kind(s)
  age(tr, s, settings)
}

export const slipMoney = (s, settings) => typeof s.slip === "number" && typeof s.order_contracts === "number"
  ? money(s.slip * s.order_contracts, settings.currencies[s.stk_ticker1] ?? "USD") : ""
