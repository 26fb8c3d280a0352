// The tables of the performance: the account, sides, tickers, slippage, hours, outcomes and latency.
import { $, put } from "./dom.js"
import { capital, clock, endOf, favour, number, signed, startOf } from "./format.js"
import { cash, count, few, lasted, pairLink, share, Sheet, when } from "./sheets.js"

let told, asked

const each = (sums, make) => Object.entries(sums).map(([code, x]) => make(code, x))
const ofCode = row => row.code ?? ""
const muted = (cell, { trips }) => ({ ...cell, muted: trips < few })
const rate = row => muted({ text: row.win_rate === null ? "" : `${number(row.wins)} of ${number(row.trips)}, ${share(row.win_rate).text}`, value: row.win_rate }, row)
const held = ({ median_held_s: x }) => ({ text: lasted(x), value: x })

const factor = ({ profit_factor: x }) => ({ text: x === null ? "" : number(+x.toFixed(2), 2), value: x })
const plainCash = (x, code) => code ? cash(x, code) : { text: signed(x, "", 2), value: x, favour: favour(x) }

const outcomes = [
  ["filled", "Filled", { status: "filled" }], ["partial", "Filled in part", { status: "part.filled" }], ["working", "Working", { status: "open" }],
  ["not_needed", "Not needed"], ["not_traded", "Not traded", { status: "not_traded" }], ["failed", "Failed", { status: "failed" }],
  ["rejected", "Could not be read"], ["missing", "Never came"],
]
const steps = [
  ["alert_received", "Alert to received"], ["received_created", "Received to order"], ["created_fill", "Order to first fill"], ["fill_filled", "First fill to filled"],
]

const slipCells = {
  name: ({ name }) => name, currency: ofCode, money: ({ code, sum }) => cash(sum, code),
  bp: ({ bp }) => ({ text: signed(bp, "", 1), value: bp, favour: favour(bp) }), signals: ({ signals }) => count(signals),
}

const sheets = {
  "account-sheet": new Sheet("account-sheet", {
    what: ({ what }) => what, fills: row => plainCash(row.fills, row.code), account: row => plainCash(row.account, row.code),
    differ: ({ fills, account, code }) => typeof fills === "number" && typeof account === "number" ? plainCash(account - fills, code) : "",
  }),
  sides: new Sheet("sides", {
    side: ({ side }) => capital(side), currency: ofCode, realised: row => cash(row.sum, row.code), trips: ({ trips }) => count(trips), win: rate,
    factor, expectancy: row => cash(row.expectancy, row.code), held,
  }),
  tickers: new Sheet("tickers", {
    ticker: ({ ticker }) => pairLink(ticker), currency: ofCode, realised: row => cash(row.sum, row.code), trips: ({ trips }) => count(trips), win: rate,
    factor,
    average_win: row => cash(row.average_win, row.code), average_loss: row => cash(row.average_loss, row.code), expectancy: row => cash(row.expectancy, row.code),
    held, open: ({ open }) => open ? "open" : "flat",
  }, { noun: "ticker", most: 20 }),
  "slip-tickers": new Sheet("slip-tickers", { ...slipCells, name: ({ name }) => pairLink(name) }, { most: 20 }),
  "slip-kinds": new Sheet("slip-kinds", slipCells),
  worst: new Sheet("worst", {
    signal: ({ rowid }) => ({ text: `${rowid}`, href: `/dashboard?signal=${rowid}` }), ticker: ({ ticker }) => pairLink(ticker), time: ({ time }) => when(time),
    currency: row => row.currency, money: row => cash(row.slip_money, row.currency),
  }),
  hours: new Sheet("hours", { ...slipCells, realised: ({ realised, code }) => cash(realised, code) }),
  outcomes: new Sheet("outcomes", {
    name: ({ name, href }) => ({ text: name, href }), count: row => count(row.count), share: ({ part }) => share(part),
  }),
  latency: new Sheet("latency", {
    name: ({ name }) => name, median: ({ median }) => ({ text: lasted(median), value: median }), p95: ({ p95 }) => ({ text: lasted(p95), value: p95 }), n: ({ n }) => count(n),
  }),
}

const byGain = (a, b) => (b.sum ?? 0) - (a.sum ?? 0) || (a.ticker < b.ticker ? -1 : 1)

function tickerRows() {
  return told.pairs.filter(({ trips, realised, open }) => trips || open || Object.keys(realised).length).flatMap(record => {
    const sums = Object.keys(record.realised).length ? record.realised : { [record.currency]: null }
    return each(sums, (code, sum) => ({ ...record, ...code !== record.currency && { average_win: null, average_loss: null, expectancy: null }, code, sum, key: `${record.ticker} ${code}` }))
  }).sort(byGain)
}

const sideRows = () => told.sides.filter(({ trips }) => trips).map(record => ({
  ...record, code: record.currency, sum: record.realised, key: `${record.side} ${record.currency}`,
}))

const slipRows = (groups, name = each => each) => groups.flatMap(group => each(group.slippage, (code, { money: sum, bp, signals }) => ({
  name: name(group.name), code, sum, bp, signals, key: `${group.name} ${code}`,
})))

function kindRows() {
  const { actions, kinds, order_types } = told.slippage
  const rows = [...slipRows(actions, name => ({ buy: "Buys", sell: "Sells" })[name]), ...slipRows(kinds, name => ({ entry: "Entries", exit: "Exits" })[name]), ...slipRows(order_types)]
  return rows.sort((a, b) => a.code < b.code ? -1 : a.code > b.code ? 1 : 0)
}

function hourRows() {
  const found = new Map()
  const row = (hour, code) => {
    const key = `${String(hour).padStart(2, "0")} ${code}`
    if (!found.has(key)) found.set(key, { key, name: `${key.slice(0, 2)}:00`, code })
    return found.get(key)
  }
  for (const { hour, realised } of told.hours) for (const [code, sum] of Object.entries(realised)) row(hour, code).realised = sum
  for (const { name, slippage } of told.slippage.hours) for (const [code, { money: sum, bp, signals }] of Object.entries(slippage)) Object.assign(row(name, code), { sum, bp, signals })
  return [...found.values()].sort((a, b) => a.key < b.key ? -1 : 1)
}

function outcomeRows() {
  const { reasons, ...counts } = told.outcomes
  const all = Object.values(counts).reduce((sum, n) => sum + n, 0)
  const { start_date, end_date, ticker } = asked
  const place = query => `/list?${new URLSearchParams(Object.entries({ ...query, start_date, end_date, ticker_webhook: ticker }).filter(([, value]) => value))}`
  return outcomes.filter(([key]) => counts[key]).flatMap(([key, name, query]) => [
    { key, name, count: counts[key], part: counts[key] / all, href: query ? place(query) : key === "rejected" ? "/setup#rejected" : undefined },
    ...key === "not_traded" ? Object.entries(reasons).map(([reason, n]) => ({ key: `reason ${reason}`, kind: "reason", name: reason, count: n, part: n / all })) : [],
  ])
}

// The account beside the fills. It does not say its currency, so there is a difference only where all money is of one.
function accountRows() {
  const { account, days } = told
  if (!account || asked.ticker) return []
  const codes = Object.keys(told.currencies)
  const code = codes.length === 1 ? codes[0] : ""
  const date = account.timestamp.slice(0, 10)
  const { start_date, end_date } = asked
  const covered = (!start_date || startOf(start_date) <= `${date} 00:00:00`) && (!end_date || endOf(end_date) >= account.timestamp)
  const today = covered && code ? days.find(({ day }) => day === date)?.realised[code] ?? 0 : null
  const row = (key, what, fills, x) => ({ key, what, fills: code ? fills : null, account: x, code })
  return [
    row("realised", `Realised, ${clock(account.timestamp, "9999").slice(0, -6)}`, today, account.RealizedPnL),
    row("unrealised", "Unrealised, now", told.currencies[code]?.unrealised, account.UnrealizedPnL),
    row("daily", "Daily PnL", null, account.DailyPnL),
  ]
}

function accountNote() {
  const codes = Object.keys(told.currencies)
  if (asked.ticker) return "The account's figures are of all tickers: clear the ticker to compare them."
  if (codes.length > 1) return `The account adds its currencies at rates of its own, so it cannot be compared with ${codes.join(" and ")} here.`
  return "Realised is of the account's day. They differ by commission, by trades that no alert made, and by when the account's day begins."
}

// Draws all tables but that of the trips. `figures`: what the API told; `filters`: the days and the ticker that were asked for.
export function drawTables(figures, filters) {
  told = figures
  asked = filters
  const { slippage } = told
  sheets["account-sheet"].draw(accountRows())
  $("#account-sheet").hidden = !told.account
  put($("#account-sheet > .hint"), accountNote())
  put($("#account-sheet [data-part=count]"), told.account && !asked.ticker ? `reported ${clock(told.account.timestamp, "9999")}` : "")
  sheets.sides.draw(sideRows())
  sheets.tickers.draw(tickerRows())
  sheets["slip-tickers"].draw(slipRows(slippage.tickers).sort((a, b) => a.sum - b.sum))
  sheets["slip-kinds"].draw(kindRows())
  sheets.worst.draw(slippage.worst.map(row => ({ ...row, key: row.rowid })))
  sheets.hours.draw(hourRows())
  sheets.outcomes.draw(outcomeRows())
  sheets.latency.draw(steps.filter(([key]) => told.latency[key].n).map(([key, name]) => ({ key, name, ...told.latency[key] })))
}
