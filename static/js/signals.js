// The live table: what it shows, how it is ordered, and how it follows the server.
import { get } from "./api.js"
import { startOfToday } from "./clock.js"
import { mountDensity } from "./density.js"
import { $, $$, clone, flag, put } from "./dom.js"
import { plural } from "./format.js"
import { mountKeys } from "./keys.js"
import { on } from "./live.js"
import { matcher, query } from "./match.js"
import { Older } from "./older.js"
import { order, sortable } from "./order.js"
import { Panel } from "./panel.js"
import { age, fill } from "./row.js"
import { Store } from "./store.js"
import { Window } from "./window.js"

const table = $("#signals")
const limit = +table.dataset.limit
const visitor = !document.body.dataset.user
const settings = {
  alarm: +table.dataset.alarm, today: startOfToday(), currencies: JSON.parse(table.dataset.currencies),
  href: rowid => `?signal=${rowid}`,
}

export class Signals {
  constructor({ filters, changed = () => {} }) {
    Object.assign(this, { filters, changed, fresh: new Map(), pending: null, selected: null, sorting: { key: "row", down: true } })
    this.store = new Store(order("row", true), matcher(filters()), visitor ? limit : Infinity)
    this.window = new Window($("#scroller"), table.tBodies[0], { make: () => clone("row"), fill: (tr, s, i) => this.fill(tr, s, i), near: () => this.older.near() })
    this.older = new Older({
      query: () => query(this.filters()), trouble: problem => this.trouble(problem),
      take: records => { this.store.add(records); this.draw() },
    })
    this.panel = new Panel({ settings, find: rowid => this.store.get(rowid), moved: rowid => this.select(rowid) })
    this.take(JSON.parse(table.dataset.records))
    this.listen()
    this.panel.follow()
  }

  listen() {
    on("signal", (message, verb) => this.receive(message, verb))
    on("resync", () => this.reload())
    $("thead", table).addEventListener("click", ({ target }) => target.dataset.sort && this.sortBy(target.dataset.sort))
    $("#sort").addEventListener("change", ({ target }) => this.sortBy(target.value, true))
    table.tBodies[0].addEventListener("click", event => this.click(event))
    mountDensity(() => this.window.resize())
    mountKeys({ move: step => this.move(step), close: () => this.panel.close() })
    setInterval(() => this.tick(), 5000)
    const sort = new URLSearchParams(location.search).get("sort") ?? ""
    if (sortable(sort.replace("-", ""))) this.sortBy(sort.replace("-", ""), sort.startsWith("-"))
  }

  take(records) {
    this.store.replace(records)
    this.older.reset(records, limit)
    this.draw()
  }

  receive({ signal }, verb) {
    this.pending?.push([signal, verb])
    this.window.pin()
    this.apply(signal, verb)
    this.schedule()
  }

  apply(signal, verb) {
    if (verb === "deleted") {
      this.store.remove(signal.rowid)
      this.panel.gone(signal.rowid)
      return
    }
    const known = this.store.get(signal.rowid) || signal.rowid >= this.older.oldest || !this.older.more
    if (known && this.store.put(signal)) this.fresh.set(signal.rowid, performance.now())
    this.panel.update(signal)
  }

  schedule() {
    if (this.due) return
    this.due = requestAnimationFrame(() => { this.due = 0; this.draw() })
  }

  draw() {
    const { view } = this.store
    this.window.show(view, record => this.store.place(record))
    table.setAttribute("aria-rowcount", this.older.more ? -1 : view.length + 1)
    const whole = this.older.more || visitor ? "" : ", none older"
    put($("#count"), view.length ? plural(view.length, "signal") + whole : "")
    this.empty(view.length === 0)
    this.changed()
  }

  empty(none) {
    const filtered = Object.values(this.filters()).some(Boolean) || !$("#empty")
    flag($("#none"), "hidden", !(none && filtered))
    if ($("#empty")) flag($("#empty"), "hidden", !(none && !filtered))
  }

  fill(tr, s, i) {
    if (tr.record !== s) fill(tr, s, settings)
    tr.record = s
    tr.setAttribute("aria-rowindex", i + 2)
    flag(tr, "aria-current", s.rowid === this.selected ? "true" : null)
    const since = performance.now() - (this.fresh.get(s.rowid) ?? -Infinity)
    if (since < 1500 && tr.dataset.fresh === undefined) this.mark(tr, s.rowid)
    else if (since >= 1500) delete tr.dataset.fresh
  }

  mark(tr, rowid) {
    tr.dataset.fresh = ""
    setTimeout(() => { if (tr.record?.rowid === rowid) delete tr.dataset.fresh }, 1500)
  }

  tick() {
    const today = startOfToday()
    const turned = today !== settings.today
    settings.today = today
    for (const tr of this.window.live.values()) {
      if (turned) fill(tr, tr.record, settings)
      else age(tr, tr.record, settings)
    }
    for (const [rowid, at] of this.fresh) if (performance.now() - at > 1500) this.fresh.delete(rowid)
  }

  sortBy(key, down) {
    this.sorting = { key, down: down ?? (this.sorting.key === key ? !this.sorting.down : ["row", "time"].includes(key)) }
    this.store.sort(order(key, this.sorting.down))
    for (const th of $$("th", table)) {
      flag(th, "aria-sort", th.dataset.field === key ? (this.sorting.down ? "descending" : "ascending") : null)
    }
    $("#sort").value = key
    const url = new URL(location)
    if (key === "row" && this.sorting.down) url.searchParams.delete("sort")
    else url.searchParams.set("sort", (this.sorting.down ? "-" : "") + key)
    history.replaceState(history.state, "", url)
    $("#scroller").scrollTop = 0
    this.draw()
  }

  click(event) {
    const tr = event.target.closest("tr[data-rowid]")
    if (!tr || event.ctrlKey || event.metaKey || event.shiftKey || getSelection().type === "Range") return
    event.preventDefault()
    this.panel.open(+tr.dataset.rowid, { focus: event.detail === 0 })
  }

  select(rowid) {
    if (rowid) this.selected = rowid
    this.window.draw()
  }

  move(step) {
    const { view } = this.store
    const old = this.store.get(this.selected)
    const at = Math.max(0, Math.min(view.length - 1, old ? this.store.place(old) + step : 0))
    if (!view.length) return
    this.selected = view[at].rowid
    this.reveal(at)
    if (this.panel.rowid) this.panel.open(this.selected)
    $(`tr[data-rowid="${this.selected}"] a`, table)?.focus({ preventScroll: true })
  }

  reveal(at) {
    const { height, scroller } = this.window
    const room = scroller.clientHeight - table.tHead.offsetHeight - height
    scroller.scrollTop = Math.min(at * height, Math.max(scroller.scrollTop, at * height - room))
    this.window.draw()
  }

  // New filters, or too far behind: the first page again over REST; what arrives meanwhile is applied after it.
  async reload() {
    const asked = this.asked = Symbol()
    const filters = this.filters()
    this.pending = []
    table.setAttribute("aria-busy", "true")
    try {
      const { signals } = await get(`/v3/signals/${limit}?${query(filters)}`)
      if (this.asked !== asked) return
      this.store.matches = matcher(filters)
      const missed = this.pending
      $("#scroller").scrollTop = 0
      this.take(signals)
      for (const [signal, verb] of missed) this.apply(signal, verb)
      if (missed.length) this.draw()
      this.trouble(null)
    } catch (problem) {
      if (this.asked === asked) this.trouble(problem)
    }
    if (this.asked === asked) {
      this.pending = null
      table.removeAttribute("aria-busy")
    }
  }

  trouble(problem) {
    put($("#count"), problem ? problem.message : $("#count").textContent)
    $("#count").classList.toggle("problem", Boolean(problem))
  }
}
