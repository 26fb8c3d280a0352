// What both charts share: they load the library if it is installed, and have a legend, a table, the theme and live changes.
import { tell } from "../api.js"
import { $, flag, put } from "../dom.js"
import { on } from "../live.js"
import { colours, faint, font, onTheme } from "./colours.js"
import { Records } from "./records.js"
import { drawSheet } from "./sheet.js"
import { ascending } from "./times.js"

const wide = matchMedia("(width >= 80rem)")
const gap = 100
const widest = 28 // most pixels for a record until the reader zooms

let loading
const library = url => loading ??= url ? import(url) : Promise.reject(new Error("not installed"))

// A subclass defines where the records are (`path`), how they are drawn (`addSeries`, `paint`, `restyle`) and the words
// (`explain` returns {texts, favours} of a point; `none`, `label`).
export class Chart {
  constructor(id, { most, spacing }) {
    this.root = $(`#${id}`)
    this.spacing = spacing // least pixels for a record
    this.canvas = $(".canvas", this.root)
    this.records = new Records(most)
    this.rows = []
    for (const act of ["wheel", "pointerdown"]) this.canvas.addEventListener(act, () => { this.moved = true }, { passive: true })
    $("[data-act=fit]", this.root).addEventListener("click", () => this.showWhole())
    $("[data-act=table]", this.root).addEventListener("click", () => this.turn(!this.asTable))
    on("resync", () => this.load())
    on("hello", () => { if (this.failed) this.load() })
    this.load()
    this.open()
  }

  async open() {
    try {
      this.library = await library(this.root.dataset.library)
    } catch {
      return this.doWithout()
    }
    this.chart = this.library.createChart(this.canvas, this.options())
    this.series = this.addSeries(colours())
    this.restyle(colours())
    this.chart.subscribeCrosshairMove(({ time }) => { this.pointed = time; this.tellLegend() })
    this.chart.timeScale().subscribeSizeChange(() => this.fit())
    onTheme(() => { this.chart.applyOptions(this.options()); this.restyle(colours()); this.draw() })
    wide.addEventListener("change", () => this.chart.applyOptions(this.options()))
    this.draw()
  }

  doWithout() {
    $("[data-part=missing]", this.root).hidden = false
    for (const part of [".legend", ".canvas", "[data-act=fit]", "[data-act=table]"]) $(part, this.root).hidden = true
    this.turn(true)
  }

  options() {
    const { page, line, edge, text, muted } = colours()
    const label = { color: edge, labelBackgroundColor: text }
    return {
      autoSize: true,
      layout: {
        background: { type: "solid", color: page }, textColor: muted, fontSize: 12, fontFamily: font(), attributionLogo: false,
        panes: { separatorColor: line, separatorHoverColor: faint(edge, 0.3) },
      },
      grid: { vertLines: { color: faint(line, 0.6) }, horzLines: { color: faint(line, 0.6) } },
      crosshair: { vertLine: label, horzLine: label },
      rightPriceScale: { borderColor: line, entireTextOnly: true },
      timeScale: { borderColor: line, timeVisible: true, minBarSpacing: 0.05, fixLeftEdge: true },
      localization: { locale: "en-GB" },
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

  receive(record, verb) {
    this.records.receive(record, verb)
    this.due ??= setTimeout(() => { this.due = null; this.draw() }, gap)
  }

  draw() {
    const points = ascending([...this.records.rows.values()])
    this.rows = this.explain(points)
    this.byTime = new Map(points.map(({ time }, i) => [time, this.rows[i]]))
    const empty = !points.length
    put($("[data-part=none]", this.root), this.none())
    $("[data-part=none]", this.root).hidden = !empty || this.failed
    flag(this.root, "data-empty", empty)
    this.canvas.setAttribute("aria-label", this.label())
    if (this.chart) this.paint(points, colours())
    this.fit()
    if (this.asTable) drawSheet(this.root, this.rows)
    this.tellLegend()
  }

  // Until the reader moves the chart, it shows all records, or the newest if all would be too narrow. A few are not spread out.
  fit() {
    const { length } = this.rows
    // Not the width of the time scale, because that depends on what is shown.
    const width = this.canvas.clientWidth
    if (!this.chart || this.moved || !length || !width) return
    const most = this.whole ? length : width / this.spacing
    const shown = Math.max(width / widest, Math.min(most, length))
    const to = Math.max(shown, length) - 0.5
    this.chart.timeScale().setVisibleLogicalRange({ from: to - shown, to })
  }

  showWhole() {
    Object.assign(this, { whole: true, moved: false })
    this.fit()
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
    put($("[data-act=table]", this.root), asTable ? "Show as chart" : "Show as table")
    $(".sheet", this.root).hidden = !asTable
    for (const part of [".legend", ".canvas", "[data-act=fit]"]) $(part, this.root).hidden = asTable || !this.chart
    if (asTable) drawSheet(this.root, this.rows)
  }
}
