// The live table: its rows, which follow the changes that the server pushes.
import { get } from "./api.js"
import { startOfToday } from "./clock.js"
import { $, clone, flag, put } from "./dom.js"
import { plural } from "./format.js"
import { on } from "./live.js"
import { matcher, query } from "./match.js"
import { Older } from "./older.js"
import { order } from "./order.js"
import { Panel } from "./panel.js"
import { age, fill } from "./row.js"
import { Store } from "./store.js"
import { Walk } from "./table.js"
import { Window } from "./window.js"

const table = $("#signals")
const limit = +table.dataset.limit
const visitor = !document.body.dataset.user
const settings = { alarm: +table.dataset.alarm, today: startOfToday(), currencies: JSON.parse(table.dataset.currencies) }
const moment = 1500

export class Signals {
  constructor(filters) {
    Object.assign(this, { filters, fresh: new Set(), missed: null })
    this.store = new Store(order("row", true), matcher(filters()), visitor ? limit : Infinity)
    this.window = new Window($("#scroller"), table.tBodies[0], {
      make: () => clone("row"), fill: (tr, s, i) => this.fill(tr, s, i), near: () => this.older.near(),
    })
    this.older = new Older({
      query: () => query(filters()), say: problem => this.say(problem),
      take: records => { this.store.add(records); this.draw() },
    })
    this.panel = new Panel({ settings, find: rowid => this.store.get(rowid), moved: rowid => this.select(rowid) })
    this.take(JSON.parse(table.dataset.records))
    this.walk = new Walk(table, this.store, this.window, this.panel)
    this.listen()
    this.panel.follow()
  }

  listen() {
    on("signal", ({ signal }, verb) => this.receive(signal, verb))
    on("resync", () => this.reload())
    on("hello", () => { if (this.failed) this.reload() })
    setInterval(() => this.tick(), 5000)
  }

  take(records) {
    this.store.replace(records)
    this.older.reset(records, limit)
    this.draw()
  }

  receive(signal, verb) {
    this.missed?.push([signal, verb])
    this.window.pin()
    this.apply(signal, verb)
    this.due ??= requestAnimationFrame(() => this.settle())
  }

  // A signal that is older than the loaded rows is not added; "Load older" adds it with its neighbours.
  apply(signal, verb) {
    if (verb === "deleted") {
      this.store.remove(signal.rowid)
      return this.panel.gone(signal.rowid)
    }
    const known = this.store.get(signal.rowid) || signal.rowid >= this.older.oldest || !this.older.more
    if (known && this.store.put(signal)) this.fresh.add(signal.rowid)
    this.panel.update(signal)
  }

  // Runs at most once per frame: draws all changes, and removes their marks after a moment.
  settle() {
    this.due = null
    const marked = [...this.fresh]
    setTimeout(() => {
      for (const rowid of marked) this.fresh.delete(rowid)
      this.window.draw()
    }, moment)
    this.draw()
  }

  draw() {
    const { length } = this.store.view
    this.window.show(this.store.view, record => this.store.place(record))
    table.setAttribute("aria-rowcount", this.older.more ? -1 : length + 1)
    if (!this.failed) put($("#count"), length ? plural(length, "signal") + (this.older.more || visitor ? "" : ", none older") : "")
    const filtered = !$("#empty") || Object.values(this.filters()).some(Boolean)
    $("#none").hidden = length > 0 || !filtered
    if ($("#empty")) $("#empty").hidden = length > 0 || filtered
  }

  fill(tr, s, i) {
    if (tr.record !== s) fill(tr, s, settings)
    tr.record = s
    tr.setAttribute("aria-rowindex", i + 2)
    flag(tr, "aria-current", s.rowid === this.walk?.selected ? "true" : null)
    flag(tr, "data-fresh", this.fresh.has(s.rowid))
  }

  tick() {
    const today = startOfToday()
    const draw = today === settings.today ? age : fill
    settings.today = today
    for (const tr of this.window.live.values()) draw(tr, tr.record, settings)
  }

  select(rowid) {
    if (rowid && this.walk) this.walk.selected = rowid
    this.window.draw()
  }

  // Loads the first page again, for new filters or after too many missed events. What is pushed during the load is applied after it.
  async reload() {
    const filters = this.filters()
    const missed = this.missed = []
    table.setAttribute("aria-busy", "true")
    let problem = null
    try {
      const { signals } = await get(`/v3/signals/${limit}?${query(filters)}`)
      if (this.missed !== missed) return
      this.store.matches = matcher(filters)
      this.window.scroller.scrollTop = 0
      this.take(signals)
      for (const [signal, verb] of missed) this.apply(signal, verb)
    } catch (trouble) { problem = trouble }
    if (this.missed !== missed) return
    this.missed = null
    table.removeAttribute("aria-busy")
    this.say(problem)
  }

  say(problem) {
    this.failed = problem
    $("#count").classList.toggle("problem", Boolean(problem))
    if (problem) put($("#count"), problem.message)
    else this.draw()
  }
}
