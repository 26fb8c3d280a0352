// The tables of positions. The server computes them; after a change the page asks for them again.
import { called, does } from "./acts.js"
import { get, tell } from "./api.js"
import { $, $$, address, clone, el, flag, later, lay, page, put } from "./dom.js"
import { ago, capital, clock, exact, favour, hour, minutesSince, number, parse, plural, span, startOfToday } from "./format.js"
import { cash, isFilling, pill, price, ratios, unhedged } from "./hedge.js"
import { on } from "./live.js"

const root = $(".held")
const gap = 500 // milliseconds to wait after a change, because the bridge reports each position in its own call
const moment = 1500
const long = 9 // letters from which a text may not fit; the pointer shows all of it
const { words: { modes } } = page
let { held, modes: modeOf } = page // `modeOf`: {pair or symbol: its own mode}, but for `on`
let chosen = page.chosen
let timer, asked = 0, missed = false

// --- words ---

const amount = (x, code) => cash(x, code).replace("+", "")
const differs = ({ expected, active_pos }) => typeof expected === "number" && expected !== active_pos
const difference = ({ symbol, expected, active_pos }) => `${symbol}: the alerts say ${number(expected)}, the account holds ${number(active_pos)}.`
const alertsSay = wanted => `The alerts say ${wanted.map(({ symbol, expected }) => `${number(expected)} ${symbol}`).join(" and ")}`

// "Long since 26 Nov, 2 d"
function began({ side, since }) {
  if (side === "flat") return ""
  if (!since) return capital(side)
  const day = since >= startOfToday() ? hour(parse(since)) : clock(since, "9999").slice(0, -6)
  return `${capital(side)} since ${day}, ${span(minutesSince(since))}`
}

// --- rows ---

function fill(tr, texts) {
  tr.cells_of ??= new Map($$("[data-field]", tr).map(cell => [cell.dataset.field, cell]))
  for (const [field, text] of Object.entries(texts)) {
    const cell = tr.cells_of.get(field)
    put($("bdi", cell) ?? cell, text)
    if (text.length >= long) cell.title = text
  }
}

const gain = (tr, field, value) => flag(tr.cells_of.get(field), "data-favour", favour(value))

function name(tr, text) {
  tr.dataset.name = text
  fill(tr, { name: text })
  flag(tr, "aria-current", text === chosen ? "true" : null)
  $("a", tr).href = page.user ? `/pair/${encodeURIComponent(text)}` : `?pair=${encodeURIComponent(text)}#pair-chart`
}

function holding(tr, n, { active_pos, active_cost, active_pnl, mark, currency }) {
  fill(tr, {
    [`position${n}`]: number(active_pos), [`cost${n}`]: active_pos ? price(active_cost) : "", [`now${n}`]: price(mark),
    [`pnl${n}`]: cash(active_pnl, currency),
  })
  gain(tr, `pnl${n}`, active_pnl)
}

// The buttons and the state of a pair or, without `active`, of a single. What is not held cannot be closed.
function acts(tr, name, { active, held }) {
  const mode = modeOf[name] ?? "on"
  put($(".paused", tr), [active === 0 && "Paused", mode !== "on" && modes[mode]].filter(Boolean).join(", "))
  $(".acts", tr).hidden = !page.user
  if (!page.user) return
  put($("[data-act=turn]", tr), active ? "Pause" : "Activate")
  $("[data-act=exits]", tr).setAttribute("aria-pressed", mode === "exits")
  flag($("[data-act=close]", tr), "hidden", !held)
  for (const button of $$(".acts button", tr)) button.setAttribute("aria-label", `${button.textContent} ${active === undefined ? name : `pair ${name}`}`)
}

function pair(tr, record) {
  name(tr, record.name)
  acts(tr, record.name, { active: record.active, held: record.legs[0].active_pos })
  tr.dataset.mark = isFilling(record) ? "filling" : record.mark
  fill(tr, {
    since: began(record), pnl: cash(record.active_pnl, record.currency),
    spread: price(record.spread), entry: record.entry === null ? "" : `from ${price(record.entry)}`,
  })
  tr.cells_of.get("since").title = record.since ? exact(record.since) : ""
  gain(tr, "pnl", record.active_pnl)
  record.legs.forEach((each, i) => {
    fill(tr, { [`symbol${i + 1}`]: each.symbol })
    holding(tr, i + 1, each)
  })
  put($(".pill", tr), pill(record))
  put($(".ratio", tr), ratios(record))
  put($(".message", tr), unhedged(record))
  put($(".differs", tr), isFilling(record) || !record.legs.some(differs) ? "" : alertsSay(record.legs.filter(differs)))
  order($(".order", tr), record.working)
}

function order(link, working) {
  link.hidden = !working
  if (!working) return
  put(link, `${working.symbol} order, ${ago(60 * minutesSince(working.since))}`)
  link.href = `/dashboard?signal=${working.rowid}`
  link.title = `Signal ${working.rowid}, ${working.order_status}, ${exact(working.since)}`
}

function flat(tr, record) {
  name(tr, record.name)
  acts(tr, record.name, { active: record.active })
  fill(tr, { ratio: number(record.hedge) })
}

function single(tr, record) {
  name(tr, record.symbol)
  holding(tr, 1, record)
  acts(tr, record.symbol, { held: record.active_pos })
  put($(".differs", tr), differs(record) ? alertsSay([record]) : "")
}

function total(tr, { currency, active_pnl, long, short, unknown }) {
  tr.dataset.name = currency
  fill(tr, { name: currency, pnl: cash(active_pnl, currency), long: amount(long, currency), short: cash(short, currency) })
  put($(".message", tr), unknown.length ? `without ${unknown.join(", ")}` : "")
  gain(tr, "pnl", active_pnl)
}

// --- tables ---

const tables = {
  pairs: { rows: $("#pairs tbody"), template: "pair-row", fill: pair, key: "name" },
  flat: { rows: $("#flat tbody"), template: "flat-row", fill: flat, key: "name" },
  singles: { rows: $("#singles tbody"), template: "single-row", fill: single, key: "symbol" },
  totals: { rows: $("#by-currency tbody"), template: "total-row", fill: total, key: "currency" },
}

function drawRows({ rows, template, fill, key }, records, mark) {
  lay(rows, "name", records.map(record => record[key]), () => clone(template)).forEach((tr, n) => {
    const text = JSON.stringify(records[n])
    fill(tr, records[n])
    if (mark && tr.told !== text) fresh(tr)
    tr.told = text
  })
}

function fresh(tr) {
  flag(tr, "data-fresh", true)
  setTimeout(() => flag(tr, "data-fresh", null), moment)
}

// Nothing is held of the pair, nothing is ordered, and no alert says otherwise.
const rests = ({ mark, working, legs, active }) => mark === "flat" && !working && !(active && legs.some(leg => leg.active_pos === 0 && differs(leg)))

function draw(mark) {
  const pairs = held.pairs.filter(each => !rests(each))
  const idle = held.pairs.filter(rests)
  const lists = { ...held, pairs, flat: idle }
  for (const [key, table] of Object.entries(tables)) drawRows(table, lists[key], mark)
  count(pairs, idle)
  const shown = new Set([...pairs.flatMap(each => each.legs), ...held.singles].map(each => each.symbol))
  const told = [
    ...held.expected.filter(each => differs(each) && !shown.has(each.symbol)).map(difference),
    ...held.unregistered.map(({ symbol, active_pos }) => `${symbol}: ${number(active_pos)} held, but not in the registry.`),
  ]
  $("#told").replaceChildren(...told.map(text => el("li", text)))
  $("#told").hidden = !told.length
}

function count(pairs, idle) {
  const some = (n, word) => n ? `${n} ${word}` : ""
  const of = test => pairs.filter(test).length
  put($('[data-count="pairs"]'), some(pairs.length, "held"))
  put($('[data-count="bad"]'), some(of(each => each.broken && !isFilling(each)), "unhedged"))
  put($('[data-count="off"]'), some(of(each => each.mark === "off" && !isFilling(each)), "off"))
  put($('[data-count="filling"]'), some(of(isFilling), "filling"))
  put($('[data-count="singles"]'), held.singles.length)
  const paused = idle.filter(each => !each.active).length
  put($("#flat summary"), `${plural(idle.length, "flat pair")}${paused ? `, ${paused} paused` : ""}`)
  $("#pairs").hidden = !pairs.length
  $("#flat").hidden = !idle.length
  $("#no-pairs").hidden = held.pairs.length > 0
  $("#others").hidden = !held.singles.length
  $("#sums").hidden = !held.totals.length
}

async function refresh() {
  timer = null
  missed = document.hidden
  if (missed) return
  const turn = ++asked
  let problem = null
  try {
    const found = await get("/v3/positions")
    if (turn !== asked) return
    held = found
    draw(true)
  } catch (trouble) { problem = trouble }
  if (turn === asked) tell($("#held-problem"), problem)
}

// Asks for the modes of single tickers.
async function learn() {
  try {
    modeOf = (await get("/v3/trading")).tickers
    draw()
  } catch { /* the next change of the registry asks again */ }
}

const soon = wait => { timer ??= setTimeout(refresh, wait * (1 + Math.random() / 4)) }

// --- what the reader does ---

function choose(name, changed) {
  chosen = name
  for (const tr of $$("tr[data-name]", root)) flag(tr, "aria-current", tr.dataset.name === name ? "true" : null)
  changed(name)
}

function click(event, changed) {
  const tr = event.target.closest("tr")
  const record = [...held.pairs, ...held.singles].find(each => called(each) === tr?.dataset.name)
  if (record) does[event.target.dataset.act]?.(record, { mode: modeOf[called(record)] ?? "on", pairs: held.pairs, refresh, learn })
  // A row shows its chart; its name leads to the page of the pair, which visitors may not see.
  if (!record || event.ctrlKey || event.metaKey || event.shiftKey || event.target.closest(page.user ? "a, button" : "button, .order")) return
  event.preventDefault()
  const { name } = tr.dataset
  address({ pair: name }, { push: name !== chosen })
  choose(name, changed)
  $("#pair-chart").scrollIntoView({ block: "nearest" })
}

export function mountHoldings(changed) {
  draw()
  setInterval(draw, 60_000, false)
  for (const topic of ["position", "pair", "stock", "resync"]) on(topic, () => soon(gap))
  if (page.user) for (const topic of ["pair", "stock", "resync"]) on(topic, later(learn, gap))
  on("signal", () => soon(4 * gap)) // an order moves, or the alerts say something else
  on("hello", () => { if (!$("#held-problem").hidden) soon(gap) })
  document.addEventListener("visibilitychange", () => { if (missed && !document.hidden) refresh() })
  addEventListener("popstate", () => choose(new URLSearchParams(location.search).get("pair") ?? page.chosen, changed))
  root.addEventListener("click", event => click(event, changed))
}
