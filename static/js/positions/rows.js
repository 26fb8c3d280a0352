// Fills the rows of pairs, single positions and totals. templates/macros/positions.html does the same on the server.
import { $, $$, flag, put } from "../dom.js"
import { favour, money, number } from "../format.js"

const words = { flat: "Flat", fine: "Fine", "leg missing": "First leg left alone", "left over": "Second leg left over" }

const cash = (x, code) => code ? money(x, code, Number.isInteger(x) ? 0 : 2) : ""
const amount = (x, code) => cash(x, code).replace("+", "")
const ratio = x => typeof x === "number" ? number(Math.abs(x) < 1e11 ? Math.floor(x * 1e4 + 0.5) / 1e4 : x) : ""

function mark({ mark, hedge, actual_hedge: actual }) {
  if (mark === "off") return `Off by ${number(Math.floor(Math.abs(actual - hedge) / hedge * 1000 + 0.5 + 1e-9) / 10)} %`
  return mark === "wrong" ? `Wrong: ${ratio(actual)} for ${number(hedge)}` : words[mark]
}

function unhedged(pair) {
  const leg = pair.legs[pair.unhedged_leg - 1]
  if (!leg) return ""
  const cost = amount(pair.unhedged_amount, leg.currency)
  return `${number(pair.unhedged)} ${leg.symbol} unhedged${cost && `, ${cost}`}`
}

function fill(tr, texts) {
  tr.cells_of ??= new Map($$("[data-field]", tr).map(cell => [cell.dataset.field, cell]))
  for (const [field, text] of Object.entries(texts)) {
    const cell = tr.cells_of.get(field)
    put($("bdi", cell) ?? cell, text)
  }
}

const gain = (tr, field, value) => flag(tr.cells_of.get(field), "data-favour", favour(value))

function leg(tr, n, { symbol, active_pos, active_cost, active_pnl, currency }) {
  fill(tr, {
    [`symbol${n}`]: symbol, [`position${n}`]: number(active_pos),
    [`cost${n}`]: active_pos ? number(active_cost, 2) : "", [`pnl${n}`]: cash(active_pnl, currency),
  })
  gain(tr, `pnl${n}`, active_pnl)
}

function name(tr, text, chosen) {
  tr.dataset.name = text
  fill(tr, { name: text })
  flag(tr, "aria-current", text === chosen ? "true" : null)
  $("a", tr).href = `?pair=${encodeURIComponent(text)}#pair-chart`
}

export function pair(tr, record, chosen) {
  name(tr, record.name, chosen)
  tr.dataset.mark = record.mark
  $(".paused", tr).hidden = Boolean(record.active)
  fill(tr, { pnl: cash(record.active_pnl, record.currency), ratio: number(record.hedge), held: ratio(record.actual_hedge) })
  gain(tr, "pnl", record.active_pnl)
  record.legs.forEach((each, i) => leg(tr, i + 1, each))
  put($(".pill", tr), mark(record))
  put($(".message", tr), unhedged(record))
}

export function single(tr, record, chosen) {
  name(tr, record.symbol, chosen)
  const { active_pos, active_cost, active_pnl, currency } = record
  fill(tr, { position1: number(active_pos), cost1: active_pos ? number(active_cost, 2) : "", pnl1: cash(active_pnl, currency) })
  gain(tr, "pnl1", active_pnl)
}

export function total(tr, { currency, active_pnl, long, short, unknown }) {
  tr.dataset.name = currency
  fill(tr, { name: currency, pnl: cash(active_pnl, currency), long: amount(long, currency), short: cash(short, currency) })
  put($(".message", tr), unknown.length ? `without ${unknown.join(", ")}` : "")
  gain(tr, "pnl", active_pnl)
}

// A sentence for each position that was not expected, and for each that is not registered.
export function differs({ expected, unregistered }) {
  return [
    ...expected.filter(each => each.expected !== each.active_pos).map(({ symbol, expected, active_pos }) =>
      `${symbol}: the alerts say ${number(expected)}, the account holds ${number(active_pos)}.`),
    ...unregistered.map(({ symbol, active_pos }) => `${symbol}: ${number(active_pos)} held, but not in the registry.`),
  ]
}
