// The live table of signals: its rows follow the changes that the server pushes. The dashboard and the list share it.
import { get } from "./api.js"
import { $, $$, address, flag, page, put } from "./dom.js"
import { any, asked, matcher, mountFilters } from "./filters.js"
import { capital, clock, exact, favour, minutesSince, number, plural, signed, span, startOfToday } from "./format.js"
import { on } from "./live.js"
import { Panel } from "./panel.js"
import { kind, message, name, open, original, slipMoney, word } from "./status.js"
import { Table } from "./table.js"

const root = $("#signals")
const visitor = !page.user
const more = 200 // rows of a later page
const overlap = 20 // rows asked for twice, because rows may have gone in between
let today = startOfToday()

// What the table is sorted by; texts count in small letters, as on the server.
const small = field => s => s[field]?.toLowerCase()
const values = {
  ...Object.fromEntries(["rowid", "timestamp", "order_contracts", "order_price", "fill_price", "slip"].map(field => [field, s => s[field]])),
  ...Object.fromEntries(["order_comment", "order_action", "order_status"].map(field => [field, small(field)])),
  ticker: s => name(s).toLowerCase(),
}

// --- a row ---

// The cells of a row by their field, and the elements in them by their class.
function partsOf(tr) {
  if (!tr.parts) {
    tr.parts = { link: $("a", tr), clock: $("time", tr) }
    for (const node of $$("td, span, bdi", tr)) tr.parts[node.dataset.field ?? node.className] = node
  }
  return tr.parts
}

function age(tr, signal) {
  const parts = partsOf(tr)
  const minutes = minutesSince(signal.timestamp)
  const waiting = ["waiting", "held"].includes(kind(signal))
  put(parts.age, span(minutes))
  put(parts.wait, waiting && minutes >= 1 ? span(minutes) : "")
  flag(parts.pill, "data-late", waiting && minutes > page.alarm_minutes)
}

function fill(tr, s) {
  const parts = partsOf(tr)
  const texts = {
    link: s.rowid, clock: clock(s.timestamp, today), symbol: name(s), hedge: s.ticker_type === "pair" ? number(s.hedge_param) : "",
    comment: s.order_comment, action: capital(s.order_action), quantity: number(s.order_contracts), price: number(s.order_price, 2),
    word: word(s), message: message(s), fill: number(s.fill_price, 2), share: signed(s.slip), money: slipMoney(s),
  }
  for (const [part, text] of Object.entries(texts)) put(parts[part], text)
  const titles = { clock: exact(s.timestamp), ticker: s.ticker, comment: s.order_comment ?? "", status: `${s.order_status} ${original(s)}` }
  for (const [part, text] of Object.entries(titles)) parts[part].title = text
  tr.dataset.rowid = s.rowid
  flag(tr, "data-today", s.timestamp >= today)
  flag(tr, "data-open", open(s) && kind(s))
  flag(parts.slip, "data-favour", favour(s.slip))
  flag(parts.link, "aria-label", `Signal ${s.rowid}`)
  parts.link.href = `?signal=${s.rowid}`
  parts.clock.dateTime = `${s.timestamp.replace(" ", "T")}Z`
  parts.action.dataset.action = s.order_action
  parts.pill.dataset.kind = kind(s)
  age(tr, s)
}

// --- the table ---

export class Signals {
  constructor(changed = () => {}) {
    Object.assign(this, { changed, missed: null, asked: false, total: null, turn: 0 })
    this.table = new Table($("#scroller"), {
      id: s => s.rowid, values, newest: "rowid", blank: "row", fill, matches: matcher(asked()), cap: visitor ? page.limit : Infinity,
      open: (s, options) => this.panel.open(s.rowid, options), near: () => this.asked && this.older(),
      sorted: () => this.sort(), changed: () => this.tell(),
    })
    this.panel = new Panel({ find: rowid => this.table.get(rowid), moved: rowid => this.table.select(rowid) })
    if (page.sort) this.table.order(page.sort.replace("-", ""), page.sort.startsWith("-"))
    this.take(page.signals, page.limit)
    this.listen()
    mountFilters(() => this.reload())
    this.panel.follow()
  }

  listen() {
    on("signal", ({ signal }, verb) => { this.missed?.push([signal, verb]); this.apply(signal, verb) })
    on("resync", () => this.reload())
    document.addEventListener("click", event => this.follow(event))
    on("hello", () => { if (this.failed) this.reload() })
    document.addEventListener("keydown", event => this.press(event))
    $("#older")?.addEventListener("click", () => { this.asked = true; this.older() })
    $("#sort").addEventListener("change", ({ target }) => this.table.turn(target.value, ["rowid", "timestamp"].includes(target.value)))
    $("#turn").addEventListener("click", () => this.table.turn(this.table.column))
    addEventListener("popstate", () => address({ sort: this.sorting }))
    setInterval(() => this.tick(), 5000)
  }

  // A link to a signal opens its panel here; the filters stay.
  follow(event) {
    const link = event.target.closest("a[href]")
    if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return
    const rowid = +new URLSearchParams(link.search).get("signal")
    if (!rowid || link.pathname !== location.pathname) return
    event.preventDefault()
    this.panel.open(rowid)
  }

  get sorting() {
    const { column, down } = this.table
    return column === "rowid" && down ? "" : (down ? "-" : "") + column
  }

  query(extra) {
    return new URLSearchParams({ ...asked(), ...this.sorting && { sort: this.sorting }, ...extra })
  }

  // The order is asked of the server if it has more rows than the page.
  sort() {
    address({ sort: this.sorting })
    $("#sort").value = this.table.column
    if (this.more || this.missed) this.reload()
    else this.changed()
  }

  apply(signal, verb) {
    if (verb === "deleted") {
      this.table.remove(signal.rowid)
      return this.panel.gone(signal.rowid)
    }
    this.table.put(signal, this.more)
    this.panel.update(signal)
  }

  take(records, limit) {
    this.more = records.length >= limit
    this.table.replace(records)
  }

  tell() {
    const { length } = this.table.view
    root.setAttribute("aria-rowcount", this.more ? -1 : length + 1)
    flag($("#older"), "hidden", !this.more)
    if (!this.failed) put($("#count"), this.countWords(length))
    const filtered = !$("#empty") || any()
    $("#none").hidden = length > 0 || !filtered
    if ($("#empty")) $("#empty").hidden = length > 0 || filtered
  }

  countWords(length) {
    if (!length) return ""
    if (this.more) return `The first ${number(length)}${this.total > length ? ` of ${number(this.total)}` : ""}`
    return plural(length, "signal") + (visitor ? "" : any() || this.sorting ? ", all that match" : ", none older")
  }

  tick() {
    this.panel.tick()
    const day = startOfToday()
    const draw = day === today ? age : fill
    today = day
    for (const tr of this.table.live.values()) draw(tr, tr.record)
  }

  press(event) {
    const { key, target } = event
    if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return
    const typing = target.closest("input, select, textarea")
    if (key === "Escape" && typing) target.blur()
    else if (key === "Escape") return this.panel.close()
    else if (typing) return
    else if (key === "j" || key === "k") this.move(key === "j" ? 1 : -1)
    else if (key === "/") $("[type=search]").select()
    else return
    event.preventDefault() // Esc would empty the search field
  }

  move(step) {
    const record = this.table.move(step)
    if (record && this.panel.rowid) this.panel.open(record.rowid)
  }

  // Loads the next page. After the first click, the next pages are loaded when the reader comes near the end.
  async older() {
    if (this.busy || !this.more || this.missed) return
    this.busy = true
    const { view } = this.table
    const from = this.sorting ? { offset: Math.max(0, view.length - overlap) } : { before: view.at(-1)?.rowid ?? 1 }
    const problem = await this.load(more, { ...from, limit: more }, signals => {
      this.more = signals.length >= more
      this.table.add(signals)
    })
    if (problem) this.asked = false
    this.busy = false
  }

  // Loads the first page again, for new filters, another order, or after too many missed events.
  reload() {
    this.busy = false
    this.changed()
    return this.load(page.limit, {}, signals => {
      this.table.matches = matcher(asked())
      this.table.scroller.scrollTop = 0
      this.take(signals, page.limit)
      this.panel.refresh()
    })
  }

  // Loads records and lays them with `lay`. What is pushed meanwhile is newer, so it is applied after them. A later load goes before.
  async load(count, query, lay) {
    const turn = ++this.turn
    const missed = this.missed = []
    let problem = null
    root.setAttribute("aria-busy", "true")
    try {
      const { signals } = await get(`/v3/signals/${count}?${this.query(query)}`)
      if (turn !== this.turn) return null
      lay(signals)
    } catch (trouble) { problem = trouble }
    if (turn !== this.turn) return null
    this.missed = null
    for (const [signal, verb] of missed) this.apply(signal, verb)
    root.removeAttribute("aria-busy")
    this.say(problem)
    return problem
  }

  say(problem) {
    this.failed = problem
    $("#count").classList.toggle("problem", Boolean(problem))
    if (problem) put($("#count"), problem.message)
    else this.tell()
  }
}
