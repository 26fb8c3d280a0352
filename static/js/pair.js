// A pair or a single: what is held, its spread with fills and trips, its signals, and how it is registered.
import "./frame.js"
import { get, tell } from "./api.js"
import { Spread } from "./bookcharts.js"
import { copy } from "./dialogs.js"
import { $, $$, flag, page, put } from "./dom.js"
import { capital, clock, equation, favour, minutesSince, money, number, plural, signed, span, startOfToday } from "./format.js"
import { isFilling, pill, unhedged } from "./hedge.js"
import { on } from "./live.js"
import { Asker, cash, count, drawTiles, few, isFigure, lasted, price, Sheet, when } from "./sheets.js"
import { kind, message, name, word } from "./status.js"
import { Trips } from "./trips.js"

const mine = page.name
let { held, series, performance: whole, today, registered } = page
const signals = new Map(page.signals.map(signal => [signal.rowid, signal]))

// --- the sentence ---

const day = text => text >= startOfToday() ? clock(text, startOfToday()).slice(0, 5) : clock(text, "9999").slice(0, -6)
const since = text => text ? ` since ${day(text)} (${span(minutesSince(text))})` : ""
const legs = () => held?.legs ?? (held ? [held] : [])
const holds = ({ active_pos }) => `${active_pos < 0 ? "short" : "long"} ${number(Math.abs(active_pos))} `
const openTrip = () => series.trips.find(({ closed }) => closed === null)

function flatWords() {
  const last = series.trips[0]
  if (!last) return "Flat; nothing was traded yet."
  if (!last.closed) return `The fills say ${last.side} ${number(last.contracts)}${since(last.opened)}; the bridge has not reported the position yet.`
  const left = series.left_over ? ` ${number(Math.abs(series.left_over))} ${series.left_over < 0 ? "short" : "long"} of the second leg is left over by rounding.` : ""
  return `Flat${since(last.closed)}.${last.pnl === null ? "" : ` The last trip brought ${money(last.pnl, last.currency)}.`}${left}`
}

function state() {
  if (!held.legs) return ""
  const text = pill(held)
  const words = /^(Hedged|Off|Wrong|Flat|Filling)/.test(text) ? text[0].toLowerCase() + text.slice(1) : text
  return [words, unhedged(held)].filter(Boolean).map(each => `, ${each}`).join("")
}

function sentence() {
  const some = legs().filter(({ active_pos }) => active_pos)
  if (!some.length) return held?.legs && isFilling(held) ? `${pill(held)}.` : flatWords()
  return `${capital(some.map(leg => holds(leg) + leg.symbol).join(", "))}${since(held.since ?? openTrip()?.opened)}${state()}.`
}

function registryWords() {
  const { hedge, status, active, sectype, currency, prixch: xch, secxch: primary, order_type } = registered // a stock in the seed's words
  const on = (status ?? active) ? "active" : "paused"
  if (hedge !== undefined) return `Registered as ${equation(registered)}: ${number(hedge)} ${registered.ticker2} for each ${registered.ticker1}, ${on}.`
  return `Registered as ${[page.words.types[sectype] ?? sectype, currency, [xch, primary].filter(Boolean).join("/"), order_type, on].filter(Boolean).join(", ")}.`
}

// --- figures ---

const own = figures => figures.pairs.find(({ ticker }) => ticker === mine)
const sums = figures => Object.entries(own(figures)?.realised ?? {})
const total = figures => sums(figures).map(([code, x]) => money(x, code)).join(" · ")
const sign = figures => sums(figures).length === 1 ? sums(figures)[0][1] : null
const trips = figures => plural(own(figures)?.trips ?? 0, "trip")

// {figure: [what it says, in whose favour, the line below]}
function figures() {
  const all = own(whole)
  const open = openTrip()
  const { distance, favourable, adverse, entry, median_held_s: median } = series
  const far = x => signed(x, "", Math.abs(x) < 1 ? 4 : 2)
  const isHeld = legs().some(({ active_pos }) => active_pos)
  return {
    now: isHeld ? [money(held.active_pnl, held.currency), held.active_pnl, "unrealised"] : ["", null, open ? "not reported yet" : "nothing is held"],
    today: [total(today), sign(today), trips(today)],
    all: [total(whole), sign(whole), trips(whole)],
    trips: [all?.trips ? `${number(all.wins)} of ${number(all.trips)}` : "", null, all?.trips ? `${Math.round(100 * all.win_rate)} % of ${trips(whole)}` : "none ended yet"],
    held: [open ? lasted(60 * minutesSince(open.opened)) : "", null, median === null ? "no median yet" : `median ${lasted(median)} of ${trips(whole)}`],
    moves: [far(distance), distance, distance === null ? "no report of an open trip" : `best ${far(favourable)}, worst ${far(adverse)}, entry ${number(entry, 2)}`],
  }
}

function drawFigures() {
  drawTiles(document, figures())
  flag($('[data-figure="trips"]'), "data-few", (own(whole)?.trips ?? 0) < few)
}

// --- tables ---

const legSheet = new Sheet("legs", {
  symbol: ({ symbol }) => symbol, side: ({ active_pos: x }) => x ? x < 0 ? "Short" : "Long" : "Flat", position: ({ active_pos }) => count(active_pos),
  expected: ({ expected }) => count(expected), cost: row => row.active_pos ? price(row.active_cost) : "", now: ({ mark }) => price(mark), pnl: row => row.active_pos ? cash(row.active_pnl, row.currency) : "",
})
const tripSheet = new Trips({}, { most: 10 })
const signalSheet = new Sheet("signals-of", {
  row: ({ rowid }) => ({ text: `${rowid}`, href: `/dashboard?signal=${rowid}` }), time: ({ timestamp }) => when(timestamp), action: ({ order_action }) => capital(order_action),
  contracts: s => count(s.order_contracts), price: s => price(s.order_price), status: s => ({ text: word(s), pill: kind(s) }), message,
  fill: s => price(s.fill_price), slip: s => ({ text: signed(s.slip), value: s.slip, favour: favour(s.slip) }),
}, { most: page.most })

function drawSignals() {
  const newest = [...signals.values()].sort((a, b) => b.rowid - a.rowid).slice(0, page.most)
  signalSheet.draw(newest.map(signal => ({ ...signal, key: signal.rowid })))
  put($("#signals-of [data-part=count]"), newest.length < page.most ? plural(newest.length, "signal") : `newest ${page.most}`)
}

// --- all of it ---

if (registered.hedge === undefined) for (const node of $$("#spread-title bdi, #spread [data-key=spread]:not(dd)")) put($("dt", node) ?? node, "Price")
const chart = new Spread(series)

function tick() {
  put($("#sentence"), sentence())
  drawFigures()
}

function drawRegistered() {
  put($("#registered"), registryWords())
  put($("#notes"), registered.notes)
  put($("#equation"), registered.hedge === undefined ? mine : equation(registered))
}

function draw() {
  tick()
  chart.give({ data: series })
  legSheet.draw(legs().map(leg => ({ ...leg, key: leg.symbol })))
  tripSheet.draw(series.trips)
}

const asker = new Asker(async wanted => {
  const ticker = encodeURIComponent(mine)
  let problem = null
  try {
    const [positions, shown, all, newest] = await Promise.all([
      get("/v3/positions"), get(`/v3/pair/${ticker}/series`), get(`/v3/performance?ticker=${ticker}`),
      get(`/v3/performance?ticker=${ticker}&since=${encodeURIComponent(startOfToday())}`),
    ])
    if (!wanted()) return
    held = [...positions.pairs, ...positions.singles].find(each => (each.name ?? each.symbol) === mine) ?? null
    series = shown
    whole = all
    today = newest
    draw()
  } catch (trouble) { problem = trouble }
  if (wanted()) tell($("#problem"), problem)
})

// --- the alert's message ---

async function loadTemplate() {
  const place = $("#template .problem")
  try {
    put($("#template-text"), (await get("/v3/template")).template)
    tell(place, null)
  } catch (problem) { tell(place, problem) }
}

async function copyPart(source) {
  const node = document.getElementById(source)
  if (source === "equation") return copy(node.textContent, node, "The symbol is copied.")
  try {
    copy((await get("/v3/template?reveal=1")).template, node, "The message is copied, with the passphrase in it.")
  } catch (problem) { tell($("#template .problem"), problem) }
}

for (const button of $$("[data-copy]")) button.addEventListener("click", () => copyPart(button.dataset.copy))
$("#template").addEventListener("toggle", ({ target }) => { if (target.open) loadTemplate() })

// --- live ---

asker.listen(on, message => isFigure(message) && (name(message.signal) === mine || legs().some(({ symbol }) => symbol === message.signal.stk_ticker1)))
on("signal", ({ signal }, verb) => {
  if (name(signal) !== mine && !signals.has(signal.rowid)) return
  if (verb === "deleted" || name(signal) !== mine) signals.delete(signal.rowid)
  else signals.set(signal.rowid, signal)
  drawSignals()
})
for (const topic of ["pair", "stock"]) {
  on(topic, ({ [topic]: record }, verb) => {
    if ((record.name ?? record.symbol) !== mine || verb === "deleted") return
    registered = record
    drawRegistered()
    asker.soon()
  })
}
on("hello", () => { if (!$("#problem").hidden) asker.soon() })
setInterval(tick, 60_000)
drawRegistered()
drawSignals()
draw()
