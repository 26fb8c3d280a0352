// Tables that keep their rows: a change writes only the cells that differ, so that nothing jumps; the CSV has exactly what is shown.
import { $, $$, el, flag, lay, put } from "./dom.js"
import { clock, exact, favour, money, number, plural, startOfToday } from "./format.js"

export const few = 10 // trips; a rate of fewer says little

// Fills the figures: {figure: [what it says, in whose favour, the line below]}.
export function drawTiles(root, figures) {
  for (const [key, [text, side, below]] of Object.entries(figures)) {
    const tile = $(`[data-figure="${key}"]`, root)
    put($(".value", tile), text)
    flag($(".value", tile), "data-favour", favour(side))
    put($(".below", tile), below)
  }
}

// --- cells: {text, value (in the file), favour, href, title, pill (the kind of a status), parts (texts and links), muted} ---

const cents = x => Math.abs(x) < 1e7 ? 2 : 0
export const cash = (x, code) => ({ text: money(x, code, cents(x)), value: x, favour: favour(x) })
export const count = x => ({ text: number(x), value: x })
export const share = x => ({ text: typeof x === "number" ? `${number(Math.round(100 * x))} %` : "", value: x })
export const price = x => ({ text: typeof x === "number" ? number(+x.toFixed(4), 2) : "", value: x })
export const when = text => text ? { text: clock(text, startOfToday()), value: `${text.replace(" ", "T")}Z`, title: exact(text) } : { text: "" }
export const pairLink = name => ({ text: name, href: `/pair/${encodeURIComponent(name)}` })

// How long something took: "45 s", "12 min", "3.5 h", "12 d".
export function lasted(seconds) {
  if (typeof seconds !== "number") return ""
  if (seconds < 60) return `${number(+seconds.toFixed(1))} s`
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`
  return seconds < 172800 ? `${number(+(seconds / 3600).toFixed(1))} h` : `${number(+(seconds / 86400).toFixed(1))} d`
}

// --- the file ---

// A spreadsheet runs a cell that begins with one of these, in their wide forms, too.
const runs = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/

function quoted(value) {
  const text = typeof value === "string" && runs.test(value) ? `'${value}` : String(value ?? "")
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

const csv = rows => rows.map(row => `${row.map(quoted).join(",")}\r\n`).join("")

export function save(name, rows) {
  const url = URL.createObjectURL(new Blob(["\ufeff", csv(rows)], { type: "text/csv" }))
  el("a", "", { href: url, download: `${name}.csv` }).click()
  setTimeout(() => URL.revokeObjectURL(url), 10000)
}

// --- the table ---

function write(td, cell = {}) {
  const { text = "", href, title } = typeof cell === "object" ? cell : { text: cell }
  if (cell.parts) {
    const told = JSON.stringify(cell.parts)
    if (td.told !== told) td.replaceChildren(...cell.parts.flatMap(part => [typeof part === "string" ? part : el("a", part.text, { href: part.href }), " "]))
    td.told = told
  } else if (cell.pill) {
    const pill = $(".pill", td) ?? td.appendChild(el("span", "", { className: "pill" }))
    pill.dataset.kind = cell.pill
    put(pill, text)
  } else if (href) {
    const link = $("a", td) ?? td.appendChild(el("a"))
    put(link, text)
    if (link.getAttribute("href") !== href) link.setAttribute("href", href)
  } else put(td, text)
  flag(td, "data-favour", cell.favour ?? null)
  flag(td, "title", title ?? null)
  flag(td, "data-muted", Boolean(cell.muted))
}

// `cells` is {column: row => cell}, where a cell is a text or as above; each row has a `key` of its own.
export class Sheet {
  constructor(id, cells, { most = 50, noun = "", onAll } = {}) {
    Object.assign(this, { root: $(`#${id}`), id, cells, most, noun, onAll, rows: [] })
    this.columns = $$("th", this.root).map(th => ({ key: th.dataset.key, label: th.textContent, num: th.className, hidden: th.hidden }))
    this.all = $("[data-act=all]", this.root)
    this.all.addEventListener("click", () => this.showAll())
    $("[data-act=csv]", this.root)?.addEventListener("click", () => save(id, this.file()))
  }

  async showAll() {
    this.all.disabled = true
    await this.onAll?.()
    this.all.disabled = false
    this.most = Infinity
    this.draw(this.rows)
  }

  // `more`: the server has rows that the page has not.
  draw(rows, more = false) {
    this.rows = rows
    const shown = rows.slice(0, this.most)
    lay($("tbody", this.root), "key", shown.map(row => row.key), key => this.blank(key)).forEach((tr, n) => {
      this.columns.forEach(({ key }, i) => write(tr.cells[i], this.cells[key](shown[n])))
      flag(tr, "data-kind", shown[n].kind ?? null)
    })
    this.all.hidden = !more && shown.length === rows.length
    put(this.all, more ? "Show all" : `Show all ${number(rows.length)}`)
    $(".fits", this.root).hidden = !rows.length
    $("[data-part=none]", this.root).hidden = rows.length > 0
    for (const act of $$("[data-act=csv], [data-act=file]", this.root)) act.hidden = !rows.length
    if (this.noun) put($("[data-part=count]", this.root), !rows.length ? "" : more ? `newest ${number(shown.length)}` : plural(rows.length, this.noun))
  }

  blank(key) {
    const tr = document.createElement("tr")
    flag(tr, "role", "row")
    tr.dataset.key = key
    this.columns.forEach(({ key, label, num, hidden }, i) => {
      const cell = tr.appendChild(el(i ? "td" : "th", "", { className: num, hidden }))
      flag(cell, "role", i ? "cell" : "rowheader")
      if (!i) flag(cell, "scope", "row")
      flag(cell, "data-label", label)
      flag(cell, "data-key", key)
      if (key === "message") cell.dir = "auto" // texts of strangers
    })
    return tr
  }

  // The rows as they are in the file: heads, then values without symbols and signs of the page.
  file() {
    const value = cell => typeof cell === "object" ? cell.value ?? (cell.parts ? cell.parts.map(part => part.text ?? part).join(" ") : cell.text) : cell
    return [this.columns.map(({ label }) => label), ...this.rows.map(row => this.columns.map(({ key }) => value(this.cells[key](row) ?? "")))]
  }
}

// --- asking again: at most once a second, and less often where an answer takes long ---

const gap = 1000 // milliseconds
const rest = 4 // of the time between two questions, the server works for one part and rests for the others

export class Asker {
  constructor(work) { Object.assign(this, { work, timer: null, at: -Infinity, took: 0, turn: 0, missed: false }) }

  soon() {
    const wait = this.at + Math.max(gap, rest * this.took) - performance.now()
    this.timer ??= setTimeout(() => this.now(), Math.max(150, wait))
  }

  // Calls the work with a function that tells whether its answer is still wanted.
  async now() {
    clearTimeout(this.timer)
    this.timer = null
    this.missed = document.hidden
    if (this.missed) return
    const turn = ++this.turn
    const began = this.at = performance.now()
    await this.work(() => turn === this.turn)
    this.took = performance.now() - began
    this.at = performance.now()
  }

  // After what changes the figures: a fill or a position, and what may have been missed.
  listen(on, matters) {
    on("signal", message => { if (matters(message)) this.soon() })
    for (const topic of ["position", "resync"]) on(topic, () => this.soon())
    document.addEventListener("visibilitychange", () => { if (this.missed && !document.hidden) this.soon() })
  }
}

// Whether a signal's price, quantity or status is new.
const figures = ["order_status", "stk_price1", "stk_price2", "filled_qty1", "filled_qty2", "fill_price", "slip", "order_contracts"]
export const isFigure = ({ type, changed = [] }) => type === "signal.deleted" || changed.some(field => figures.includes(field))
