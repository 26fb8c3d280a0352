// What both charts share: they load the library if it is installed, and have ranges, a legend, a table, the theme and live changes.
import { get, tell } from "./api.js"
import { $, $$, flag, page, put } from "./dom.js"
import { parse, wall } from "./format.js"
import { on } from "./live.js"

const wide = matchMedia("(width >= 90rem)")
const gap = 100
const edge = 24 // pixels that stay free at both ends, so that no bar, arrow or label is cut off
const day = 86400 // seconds

// --- colours: those of the theme, in a form that the library can read ---

const root = document.documentElement
const tokens = ["page", "line", "edge", "text", "muted", "accent", "mark", "favour", "against", "violet-ink"]
const probe = root.appendChild(document.createElement("i"))
probe.hidden = true

// color-mix converts any colour to sRGB numbers; values outside sRGB are clipped.
function rgb(token) {
  probe.style.color = `color-mix(in srgb, var(--${token}) 100%, transparent 0%)`
  const numbers = getComputedStyle(probe).color.match(/[\d.e-]+/g).slice(-3)
  return numbers.map(each => Math.round(255 * Math.min(1, Math.max(0, each))))
}

const colours = () => Object.fromEntries(tokens.map(token => [token, `rgb(${rgb(token).join(", ")})`]))
export const faint = (colour, share) => colour.replace("rgb(", "rgba(").replace(")", `, ${share})`)

function onTheme(changed) {
  new MutationObserver(changed).observe(root, { attributes: true, attributeFilter: ["data-theme"] })
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed)
}

// --- times: the library knows no time zones, so it gets the wall clock of the page's zone as if it were UTC ---

// Returns [{time, record}], oldest first. If a time is not later than the one before it (the same second, or a clock that
// was set back), the record is put one second after it; the legend shows its real time.
export function ascending(records) {
  let last = -Infinity
  return records
    .toSorted((a, b) => a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : a.rowid - b.rowid)
    .map(record => ({ time: last = Math.max(wall(parse(record.timestamp)) / 1000, last + 1), record }))
}

export const dayOf = time => Math.floor(time / day)

const words = options => new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options })
const marks = [{ year: "numeric" }, { month: "short" }, { day: "numeric", month: "short" }, { hour: "2-digit", minute: "2-digit" }].map(words)
const whole = words({ day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" })

// --- records: a list of the API that is loaded once, and then kept up to date by what is pushed ---

class Records {
  constructor(most) {
    Object.assign(this, { most, rows: new Map(), turn: 0, missed: null })
  }

  // Loads the list, then applies the records that were pushed during the load. Returns false if a later load has begun.
  async load(path) {
    const turn = ++this.turn
    const missed = this.missed = []
    let answer, problem
    try { answer = await get(path) } catch (trouble) { problem = trouble }
    if (turn !== this.turn) return false
    this.missed = null
    if (answer) {
      if (!page.user) this.most = answer.notoken_limit ?? 5
      this.rows = new Map(answer.signals.map(record => [record.rowid, record]))
    }
    for (const change of missed) this.apply(...change)
    if (problem) throw problem
    return true
  }

  receive(record, verb) {
    if (this.missed) this.missed.push([record, verb])
    else this.apply(record, verb)
  }

  apply(record, verb) {
    if (verb === "deleted") this.rows.delete(record.rowid)
    else this.rows.set(record.rowid, record)
    if (this.rows.size > this.most) this.rows.delete(Math.min(...this.rows.keys()))
  }
}

// --- the chart ---

let loading
const library = () => loading ??= page.library ? import(page.library) : Promise.reject(new Error("not installed"))

// A subclass defines where the records are (`path`), how they are drawn (`addSeries`, `paint`, `restyle`) and the words
// (`explain` returns {texts, favours} of a point; `none`, `label`).
export class Chart {
  constructor(id, { days, ...more }) {
    const root = $(`#${id}`)
    this.most = +root.dataset.most
    Object.assign(this, { root, records: new Records(this.most), rows: [], points: [], ...more })
    this.canvas = $(".canvas", this.root)
    for (const act of ["wheel", "pointerdown"]) this.canvas.addEventListener(act, () => this.press(null), { passive: true })
    for (const button of $$("[data-days]", this.root)) {
      button.addEventListener("click", () => { this.press(+button.dataset.days); this.fit() })
    }
    $("[data-act=table]", this.root).addEventListener("click", () => this.turn(!this.asTable))
    on("resync", () => this.load())
    on("hello", () => { if (this.failed) this.load() })
    this.press(days)
    this.load()
    this.open()
  }

  async open() {
    try {
      this.library = await library()
    } catch {
      return this.doWithout()
    }
    this.chart = this.library.createChart(this.canvas, this.options())
    this.series = this.addSeries()
    this.restyle(this.theme = colours())
    this.chart.subscribeCrosshairMove(({ time }) => { this.pointed = time; this.tellLegend() })
    this.chart.timeScale().subscribeSizeChange(() => this.fit())
    onTheme(() => { this.chart.applyOptions(this.options()); this.restyle(this.theme = colours()); this.draw() })
    wide.addEventListener("change", () => this.chart.applyOptions(this.options()))
    this.draw()
  }

  doWithout() {
    $("[data-part=missing]", this.root).hidden = false
    for (const part of [".legend", ".canvas", ".ranges", "[data-act=table]"]) $(part, this.root).hidden = true
    this.turn(true)
  }

  options() {
    const { page, line, edge, text, muted } = colours()
    const label = { color: edge, labelBackgroundColor: text }
    return {
      autoSize: true,
      layout: {
        background: { type: "solid", color: page }, textColor: muted, fontSize: 12, fontFamily: getComputedStyle(document.body).fontFamily,
        attributionLogo: false, panes: { separatorColor: line, separatorHoverColor: faint(edge, 0.3) },
      },
      grid: { vertLines: { color: faint(line, 0.6) }, horzLines: { color: faint(line, 0.6) } },
      crosshair: { vertLine: label, horzLine: label },
      rightPriceScale: { borderColor: line, entireTextOnly: true },
      timeScale: {
        borderColor: line, timeVisible: true, minBarSpacing: 0.05,
        tickMarkFormatter: (time, type) => marks[Math.min(type, 3)].format(1000 * time),
      },
      localization: { locale: "en-GB", timeFormatter: time => whole.format(1000 * time) },
      // On narrow screens the page scrolls, so the wheel and a finger that moves up or down belong to the page.
      handleScroll: { mouseWheel: wide.matches, vertTouchDrag: false },
      handleScale: { mouseWheel: wide.matches },
    }
  }

  async load() {
    let problem = null
    this.root.setAttribute("aria-busy", "true")
    try {
      if (!await this.records.load(this.path())) return
    } catch (trouble) { problem = trouble }
    this.root.removeAttribute("aria-busy")
    this.failed = problem
    tell($(".problem", this.root), problem)
    this.draw()
  }

  // The most pixels for a record until the reader zooms.
  get widest() { return 28 }

  // The points that are drawn, oldest first: [{time, record}].
  collect() { return ascending([...this.records.rows.values()]) }

  receive(record, verb) {
    this.records.receive(record, verb)
    this.due ??= setTimeout(() => { this.due = null; this.draw() }, gap)
  }

  draw() {
    this.points = this.collect()
    this.rows = this.explain(this.points)
    this.byTime = new Map(this.points.map(({ time }, i) => [time, this.rows[i]]))
    const empty = !this.points.length
    put($("[data-part=none]", this.root), this.none())
    $("[data-part=none]", this.root).hidden = !empty || this.failed
    flag(this.root, "data-empty", empty)
    this.canvas.setAttribute("aria-label", this.label())
    if (this.chart) this.paint(this.points, this.theme)
    this.fit()
    if (this.asTable) this.drawTable()
    this.tellLegend()
  }

  // Chooses a range in days, 0 for all. Null: the reader has moved the chart.
  press(days) {
    this.days = days
    for (const button of $$("[data-days]", this.root)) button.setAttribute("aria-pressed", String(days === +button.dataset.days))
  }

  // Shows the newest days that have been chosen, until the reader moves the chart. A few records are not spread out.
  fit() {
    const { length } = this.points
    // Not the width of the time scale, because that depends on what is shown.
    const width = this.canvas.clientWidth
    if (!this.chart || this.days === null || !length || !width) return
    const since = this.days ? (dayOf(this.points.at(-1).time) + 1 - this.days) * day : -Infinity
    const first = this.points.findIndex(({ time }) => time >= since)
    const shown = Math.max(width / this.widest, length - first)
    const free = edge * shown / width
    this.chart.timeScale().setVisibleLogicalRange({ from: first - 0.5 - free, to: first + shown - 0.5 + free })
  }

  // Shows the record under the crosshair, or else the newest.
  tellLegend() {
    const row = this.byTime.get(this.pointed) ?? this.rows.at(-1)
    for (const each of $(".legend", this.root).children) {
      const { key } = each.dataset
      put(each.lastElementChild, row?.texts[key])
      flag(each.lastElementChild, "data-favour", row?.favours[key])
    }
  }

  turn(asTable) {
    this.asTable = asTable
    $("[data-act=table]", this.root).setAttribute("aria-pressed", String(asTable))
    $(".sheet", this.root).hidden = !asTable
    for (const part of [".legend", ".canvas", ".ranges"]) $(part, this.root).hidden = asTable || !this.chart
    if (asTable) this.drawTable()
  }

  drawTable() {
    const blank = $("template", this.root).content.firstElementChild
    $("tbody", this.root).replaceChildren(...this.rows.toReversed().map(({ texts, favours }) => {
      const tr = blank.cloneNode(true)
      for (const td of tr.cells) {
        put(td, texts[td.dataset.key])
        flag(td, "data-favour", favours[td.dataset.key])
      }
      return tr
    }))
  }
}
