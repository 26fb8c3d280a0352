// A table of many rows, of which only those near the visible part are in the document, so that 100,000 scroll as fast as 20.
// The first visible row keeps its place when rows come above it. The reader sorts it, moves with the keys, and opens rows.
import { $, $$, clone, flag, put } from "./dom.js"
import { plural } from "./format.js"

const spare = 12 // rows beside the visible ones
const nearEnd = 2000 // pixels
const moment = 1500 // milliseconds for which a changed row is marked

// Missing values are last in both directions; of equal values the higher id is first.
function order(value, down, id) {
  const sign = down ? -1 : 1
  return (a, b) => {
    const x = value(a) ?? null, y = value(b) ?? null
    if (x !== y) {
      if (x === null) return 1
      if (y === null) return -1
      return x < y ? -sign : sign
    }
    return id(b) - id(a)
  }
}

// The options: `id` of a record (a number), `values` {column: record => what it is sorted by}, `newest` (the column of
// the first order, which is descending), `blank` (the id of a row's template),
// `fill(tr, record)`, `matches(record)`, `cap` (most rows), `open(record, options)`, `near()` (the reader is near the end),
// `sorted(column, down)` (the reader has chosen an order).
export class Table {
  constructor(scroller, options) {
    Object.assign(this, { matches: () => true, cap: Infinity, near() {}, open() {}, sorted() {} }, options)
    Object.assign(this, { scroller, root: $("table", scroller), rows: new Map(), view: [], live: new Map(), fresh: new Set(), height: 0, pinned: null, above: 0 })
    this.body = this.root.tBodies[0]
    this.order(this.newest, true)
    scroller.addEventListener("scroll", () => this.pinned || this.draw(), { passive: true })
    const resized = new ResizeObserver(() => this.resize())
    resized.observe(scroller)
    resized.observe(this.root.tHead) // its height changes with the height of the rows
    this.body.addEventListener("click", event => this.click(event))
    this.root.tHead.addEventListener("click", ({ target: { dataset } }) => dataset.sort && this.turn(dataset.sort))
    $("#fresh")?.addEventListener("click", () => { scroller.scrollTop = 0 })
  }

  // --- records ---

  get(id) { return this.rows.get(id) }

  // The index that the record has, or would have.
  place(record) {
    let low = 0, high = this.view.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.compare(this.view[middle], record) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  // Puts a changed record into its place and marks it. With `more` rows behind the last one, it is left out if it belongs there.
  put(record, more) {
    const id = this.id(record)
    this.pin()
    const known = this.rows.has(id)
    this.take(id)
    const at = this.place(record)
    if (this.matches(record) && (!more || at < this.view.length)) {
      this.rows.set(id, record)
      this.view.splice(at, 0, record)
      this.fresh.add(id)
      if (!known && this.pinned && at <= this.pinned.at) this.above += 1
      while (this.view.length > this.cap) this.rows.delete(this.id(this.view.pop()))
    }
    this.soon()
  }

  remove(id) {
    this.pin()
    this.take(id)
    this.soon()
  }

  take(id) {
    const old = this.rows.get(id)
    if (!old) return
    this.view.splice(this.place(old), 1)
    this.rows.delete(id)
  }

  replace(records) {
    this.rows.clear()
    this.view = []
    this.add(records)
  }

  add(records) {
    for (const record of records) this.rows.set(this.id(record), record)
    this.view = [...this.rows.values()].sort(this.compare)
    this.show()
  }

  // --- order ---

  order(column, down) {
    Object.assign(this, { column, down, compare: order(this.values[column], down, this.id) })
    this.view.sort(this.compare)
    for (const button of $$("thead [data-sort]", this.root)) flag(button.closest("th"), "aria-sort", button.dataset.sort === column ? (down ? "descending" : "ascending") : null)
  }

  turn(column, down = this.column === column ? !this.down : ["rowid", "timestamp"].includes(column)) {
    this.order(column, down)
    this.scroller.scrollTop = 0
    this.show()
    this.sorted(column, down)
  }

  // --- rows in the document ---

  measure() {
    const tr = this.body.rows[0] ?? this.body.appendChild(clone(this.blank))
    this.height = tr.offsetHeight || 32
    if (!tr.record) tr.remove()
  }

  resize() {
    const top = this.height ? this.scroller.scrollTop / this.height : 0
    this.measure()
    this.stretch()
    this.scroller.scrollTop = top * this.height
    this.draw()
  }

  stretch() { this.body.style.height = `${this.view.length * this.height}px` }

  // Remembers the first visible row before rows are added or removed; `show` keeps it in its place.
  pin() {
    const at = Math.floor(this.scroller.scrollTop / this.height)
    this.pinned ??= this.scroller.scrollTop > 0 && this.view[at] ? { record: this.view[at], at } : null
  }

  hold() {
    const { record, at } = this.pinned
    const now = this.place(record)
    if (this.view[now] && this.id(this.view[now]) === this.id(record) && now !== at) this.scroller.scrollTop += (now - at) * this.height
    this.pinned = null
  }

  // Draws what has changed, at most once for each frame, and removes the marks after a moment.
  soon() {
    this.due ??= requestAnimationFrame(() => {
      this.due = null
      const marked = [...this.fresh]
      setTimeout(() => {
        for (const id of marked) this.fresh.delete(id)
        this.draw()
      }, moment)
      this.show()
    })
  }

  show() {
    if (!this.height) this.measure()
    this.stretch()
    if (this.pinned) this.hold()
    this.draw()
    this.changed?.()
  }

  draw() {
    const { scrollTop, clientHeight } = this.scroller
    if (!scrollTop) this.above = 0
    this.tellAbove()
    const top = Math.floor(scrollTop / this.height)
    const last = Math.min(this.view.length, Math.ceil((scrollTop + clientHeight) / this.height) + spare)
    if (this.view.length * this.height - scrollTop - clientHeight < nearEnd) this.near()
    this.lay(Math.max(0, top - spare), last)
  }

  // The button that says how many rows came above the visible ones.
  tellAbove() {
    const button = $("#fresh")
    if (!button) return
    button.hidden = !this.above
    put(button, `${plural(this.above, "new row")} above`)
  }

  lay(first, last) {
    const wanted = new Set()
    for (let i = first; i < last; i++) wanted.add(this.id(this.view[i]))
    // In the order of the document, so that after a far jump the rows are filled where they are, and none moves.
    const idle = [...this.body.rows].filter(tr => !wanted.has(tr.record && this.id(tr.record)))
    for (const tr of idle) if (tr.record) this.live.delete(this.id(tr.record))
    let next = this.body.firstElementChild
    for (let i = first; i < last; i++) {
      const id = this.id(this.view[i])
      const tr = this.live.get(id) ?? idle.shift() ?? clone(this.blank)
      this.live.set(id, tr)
      if (tr === next) next = next.nextElementSibling
      else this.body.insertBefore(tr, next)
      this.paint(tr, this.view[i], i)
    }
    for (const tr of idle) tr.remove()
  }

  paint(tr, record, i) {
    const id = this.id(record)
    if (tr.record !== record) this.fill(tr, record)
    tr.record = record
    tr.setAttribute("aria-rowindex", i + 2)
    flag(tr, "aria-current", id === this.selected ? "true" : null)
    flag(tr, "data-fresh", this.fresh.has(id))
    const shift = `translateY(${i * this.height}px)`
    if (tr.style.transform !== shift) tr.style.transform = shift
  }

  // --- the reader ---

  click(event) {
    const { record } = event.target.closest("tr") ?? {}
    if (!record || event.ctrlKey || event.metaKey || getSelection().type === "Range") return
    event.preventDefault()
    this.open(record, { focus: event.detail === 0 })
  }

  select(id) {
    this.selected = id ?? this.selected
    this.draw()
  }

  // Moves one row down (1) or up (-1), and returns the record of that row.
  move(step) {
    const old = this.rows.get(this.selected)
    const at = Math.max(0, Math.min(this.view.length - 1, old ? this.place(old) + step : 0))
    const record = this.view[at]
    if (!record) return null
    this.selected = this.id(record)
    const room = this.scroller.clientHeight - this.root.tHead.offsetHeight - this.height
    this.scroller.scrollTop = Math.min(at * this.height, Math.max(this.scroller.scrollTop, at * this.height - room))
    this.draw()
    $("a", this.live.get(this.selected))?.focus({ preventScroll: true })
    return record
  }
}
