// What the fills of a period brought: figures of each currency, the line of realised PnL, the days, and tables.
import "./frame.js"
import { get, suggest, tell } from "./api.js"
import { Equity } from "./bookcharts.js"
import { drawDays } from "./calendar.js"
import { $, $$, address, clone, el, flag, later, page, put } from "./dom.js"
import { clock, dayOf, endOf, money, number, now, parse, plural, presets, signed, startOf } from "./format.js"
import { drawTables } from "./ledger.js"
import { on } from "./live.js"
import { Asker, drawTiles, few, isFigure, lasted, pairLink } from "./sheets.js"
import { keyOf, Trips } from "./trips.js"

const form = $("#period")

let told = page.performance
let trips = page.trips
let wholeTrips = trips.length < page.most
let code // the currency of the chart and the calendar
let failed = false

// --- what is asked ---

const fields = ["start_date", "end_date", "ticker"].map(name => form.elements[name])
const values = () => Object.fromEntries(fields.map(field => [field.name, field.value.trim().toUpperCase()]))

function asked() {
  const { start_date, end_date, ticker } = values()
  const all = { since: start_date && startOf(start_date), until: end_date && endOf(end_date), ticker }
  return new URLSearchParams(Object.entries(all).filter(([, value]) => value))
}

// Whether the whole period is one day of the page's zone.
function isOneDay() {
  const { start_date: first, end_date: last } = values()
  return first !== "" && (last || dayOf(now())) === first
}

// --- figures ---

const ofTrips = n => plural(n, "trip")
const dates = ({ since, until }) => `${since ? clock(since, "9999") : "start"} – ${clock(until, "9999")}`
const signalsOf = code => told.slippage.actions.reduce((sum, { slippage }) => sum + (slippage[code]?.signals ?? 0), 0)

// The currencies, the one with the most trips first.
const currencies = () => Object.keys(told.currencies).toSorted((a, b) => told.currencies[b].trips - told.currencies[a].trips)

// {figure: [what it says, in whose favour, the line below]}
function figuresOf(code, r) {
  const cash = x => money(x, code, Math.abs(x) < 1e7 ? 2 : 0)
  const n = ofTrips(r.trips)
  return {
    realised: [cash(r.realised), r.realised, n],
    unrealised: [cash(r.unrealised), r.unrealised, "held now"],
    trips: [number(r.trips), null, `${number(r.wins)} won, ${number(r.losses)} lost`],
    win_rate: [r.win_rate === null ? "" : `${number(Math.round(100 * r.win_rate))} %`, null, r.trips ? `${number(r.wins)} of ${n}` : n],
    profit_factor: [r.profit_factor === null ? "" : number(+r.profit_factor.toFixed(2), 2), null, r.trips && !r.losses ? `no loss in ${n}` : n],
    average_win: [cash(r.average_win), r.average_win, ofTrips(r.wins)],
    average_loss: [cash(r.average_loss), r.average_loss, ofTrips(r.losses)],
    expectancy: [cash(r.expectancy), r.expectancy, n],
    drawdown: [r.drawdown ? cash(-r.drawdown.amount) : "", r.drawdown && -1, r.drawdown ? dates(r.drawdown) : "never below a high"],
    median_held_s: [lasted(r.median_held_s), null, n],
    slip: [cash(r.slip_money), r.slip_money, [typeof r.slip_bp === "number" && `${signed(r.slip_bp, "", 1)} bp`, plural(signalsOf(code), "signal")].filter(Boolean).join(" · ")],
    commission_est: [cash(r.commission_est).replace("+", ""), null, "estimate, in no other figure"],
  }
}

function drawFigures() {
  const place = $("#results")
  const old = new Map($$(".result", place).map(section => [section.dataset.code, section]))
  place.append(...currencies().map(code => {
    const section = old.get(code) ?? clone("currency")
    old.delete(code)
    section.dataset.code = code
    put($("h2 bdi", section), code)
    const result = told.currencies[code]
    drawTiles(section, figuresOf(code, result))
    flag($('[data-figure="win_rate"]', section), "data-few", result.trips < few)
    return section
  }))
  for (const section of old.values()) section.remove()
}

// --- the line and the days ---

const seconds = text => Date.parse(`${text.slice(0, 10)}T00:00:00Z`) / 1000

// The gains of the chosen currency: of each day, or of each hour where the period is one day.
function gains() {
  const mine = list => list.filter(({ realised }) => code in realised)
  if (!isOneDay()) return mine(told.days).map(({ day, realised }) => ({ at: seconds(day), gain: realised[code] }))
  const since = parse(startOf(values().start_date)) / 1000
  const first = Math.floor(since / 3600) * 3600
  return mine(told.hours).map(({ hour, realised }) => ({ at: first + (hour * 3600 - first % 86400 + 86400) % 86400, gain: realised[code] })).sort((a, b) => a.at - b.at)
}

// The buttons that choose the currency, where there is more than one.
function drawCurrencies() {
  const codes = currencies()
  if (!codes.includes(code)) code = codes[0]
  const place = $("#currencies")
  place.hidden = codes.length < 2
  if (place.dataset.codes !== String(codes)) {
    place.replaceChildren(...codes.map(code => el("button", code, { type: "button", className: "quiet" })))
    place.dataset.codes = codes
  }
  for (const button of place.children) flag(button, "aria-pressed", String(button.textContent === code))
}

// --- trips ---

const tripSheet = new Trips({ ticker: ({ ticker }) => pairLink(ticker) }, { most: page.most, onAll: loadTrips })

function drawTrips() {
  tripSheet.draw(trips, !wholeTrips)
}

// --- all of it ---

const equity = new Equity()

function draw() {
  const { start_date, end_date, ticker } = values()
  const known = presets()
  for (const button of $$("[data-days]", form)) {
    const [first, last] = known[button.dataset.days]
    flag(button, "aria-pressed", String(start_date === first && end_date === last))
  }
  $("#clear").hidden = !start_date && !end_date && !ticker
  const any = told.pairs.length > 0 // fills at any time
  const some = told.days.length > 0 || told.slippage.actions.length > 0 || trips.some(({ closed }) => closed)
  $("#teach").hidden = any || Boolean(ticker)
  $("#nothing").hidden = some || !$("#teach").hidden
  for (const part of $$(".books > :is(.two, .rows, #results)")) part.hidden = !$("#teach").hidden
  put($("#incomplete"), told.incomplete ? `${plural(told.incomplete, "trip")} began before the records and count${told.incomplete === 1 ? "s" : ""} nowhere: what ${told.incomplete === 1 ? "it" : "they"} cost is not known.` : "")
  $("#incomplete").hidden = !told.incomplete
  drawCurrencies()
  drawFigures()
  $("#equity-row").hidden = !told.days.length
  put($("#equity h2 small"), code ?? "")
  equity.give({ gains: gains(), code, hourly: isOneDay() })
  drawDays(told.days, code)
  drawTables(told, values())
  drawTrips()
  $("#trips [data-act=file]").href = `/v3/trips/0.csv?${asked()}`
}

// --- asking ---

const asker = new Asker(async wanted => {
  const query = asked()
  let problem = null
  try {
    const figures = await get(`/v3/performance?${query}`)
    const { trips: newest } = await get(`/v3/trips/${page.most}?${query}`)
    if (!wanted() || String(asked()) !== String(query)) return
    told = figures
    takeTrips(newest)
    draw()
  } catch (trouble) { problem = trouble }
  if (!wanted()) return
  failed = Boolean(problem)
  tell($("#problem"), problem)
  put($("#asking"), "")
})

// The newest trips; older ones that were loaded stay.
function takeTrips(newest) {
  const known = new Map(newest.map(trip => [keyOf(trip), trip]))
  const loaded = trips.length > page.most && wholeTrips
  trips = loaded ? [...newest, ...trips.filter(trip => !known.has(keyOf(trip)))] : newest
  wholeTrips = loaded || newest.length < page.most
}

async function loadTrips() {
  if (wholeTrips) return
  try {
    trips = (await get(`/v3/trips/0?${asked()}`)).trips
    wholeTrips = true
    drawTrips()
    tell($("#problem"), null)
  } catch (problem) { tell($("#problem"), problem) }
}

let applied = JSON.stringify(values())

function apply() {
  applied = JSON.stringify(values())
  address(values(), { push: true })
  trips = []
  tripSheet.most = page.most
  put($("#asking"), "Counting …")
  asker.now()
}

const follow = () => { if (JSON.stringify(values()) !== applied) apply() } // a choice comes as `input` and as `change`

function choose(first, last) {
  Object.assign(form.elements.start_date, { value: first })
  Object.assign(form.elements.end_date, { value: last })
  follow()
}

form.addEventListener("change", follow)
form.addEventListener("input", later(follow, 400))
form.addEventListener("submit", event => { event.preventDefault(); follow() })
form.addEventListener("click", ({ target }) => {
  const { days } = target.dataset
  if (days) choose(...presets()[days])
})
$("#clear").addEventListener("click", event => {
  event.preventDefault()
  form.elements.ticker.value = ""
  choose("", "")
})
$("[data-act=everything]").addEventListener("click", () => choose("", ""))
$("#currencies").addEventListener("click", ({ target }) => {
  if (!target.matches("button")) return
  code = target.textContent
  draw()
})
form.elements.ticker.addEventListener("focus", () => suggest($("#names")), { once: true })
addEventListener("popstate", () => {
  const query = new URLSearchParams(location.search)
  for (const field of fields) field.value = query.get(field.name) ?? ""
  applied = JSON.stringify(values())
  trips = []
  asker.now()
})
asker.listen(on, isFigure)
on("account", () => asker.soon())
on("hello", () => { if (failed) asker.soon() })
draw()
