// Keeps only the rows near the visible part in the document, so that 100,000 rows scroll as fast as 20.
const spare = 12
const nearEnd = 2000

export class Window {
  constructor(scroller, body, { make, fill, near }) {
    Object.assign(this, { scroller, body, make, fill, near, live: new Map(), height: 0, pinned: null })
    for (const tr of body.rows) this.live.set(+tr.dataset.rowid, tr)
    scroller.addEventListener("scroll", () => this.pinned || this.draw(), { passive: true })
    const resized = new ResizeObserver(() => this.resize())
    resized.observe(scroller)
    resized.observe(body.parentNode.tHead) // its height changes with the height of the rows
  }

  measure() {
    const tr = this.body.rows[0] ?? this.body.appendChild(this.make())
    this.height = tr.offsetHeight || 32
    if (!tr.dataset.rowid) tr.remove()
  }

  resize() {
    if (!this.view) return
    const top = this.height ? this.scroller.scrollTop / this.height : 0
    this.measure()
    this.stretch()
    this.scroller.scrollTop = top * this.height
    this.draw()
  }

  stretch() {
    this.body.style.height = `${this.view.length * this.height}px`
    this.body.dataset.window = ""
  }

  // Call it before rows are added or removed: it remembers the first visible row, and `show` keeps it in its place.
  pin() {
    const at = Math.floor(this.scroller.scrollTop / this.height)
    this.pinned ??= this.scroller.scrollTop > 0 && this.view?.[at] ? { record: this.view[at], at } : null
  }

  hold(place) {
    const { record, at } = this.pinned
    const now = place(record)
    if (this.view[now]?.rowid === record.rowid && now !== at) this.scroller.scrollTop += (now - at) * this.height
    this.pinned = null
  }

  show(view, place) {
    this.view = view
    if (!this.height) this.measure()
    this.stretch()
    if (this.pinned) this.hold(place)
    this.draw()
  }

  draw() {
    if (!this.view) return
    const { scrollTop, clientHeight } = this.scroller
    const top = Math.floor(scrollTop / this.height)
    const first = Math.max(0, top - spare)
    const last = Math.min(this.view.length, Math.ceil((scrollTop + clientHeight) / this.height) + spare)
    if (this.view.length * this.height - scrollTop - clientHeight < nearEnd) this.near()
    this.lay(first, last)
  }

  lay(first, last) {
    const wanted = new Set()
    for (let i = first; i < last; i++) wanted.add(this.view[i].rowid)
    // In the order of the document, so that after a far jump the rows are filled where they are, and none moves.
    const idle = [...this.body.rows].filter(tr => !wanted.has(+tr.dataset.rowid))
    for (const tr of idle) this.live.delete(+tr.dataset.rowid)
    let next = this.body.firstElementChild
    for (let i = first; i < last; i++) {
      const record = this.view[i]
      let tr = this.live.get(record.rowid)
      if (!tr) {
        tr = idle.shift() ?? this.make()
        this.live.set(record.rowid, tr)
      }
      if (tr === next) next = next.nextElementSibling
      else this.body.insertBefore(tr, next)
      this.fill(tr, record, i)
      const shift = `translateY(${i * this.height}px)`
      if (tr.style.transform !== shift) tr.style.transform = shift
    }
    for (const tr of idle) tr.remove()
  }
}
