// Keeps only the rows near the visible part in the document, so that 100,000 scroll like 20.
const spare = 20

export class Window {
  constructor(scroller, body, { make, fill }) {
    Object.assign(this, { scroller, body, make, fill, live: new Map(), height: 0, anchor: null })
    for (const tr of body.rows) this.live.set(+tr.dataset.rowid, tr)
    scroller.addEventListener("scroll", () => this.draw(), { passive: true })
    new ResizeObserver(() => this.resize()).observe(scroller)
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
    this.body.style.height = `${this.view.length * this.height}px`
    this.scroller.scrollTop = top * this.height
    this.draw()
  }

  // Holds the first visible row in its place when others arrive above it.
  hold(view, place) {
    const held = this.anchor
    if (!held || this.scroller.scrollTop <= 0) return
    const at = place(held.record)
    if (view[at]?.rowid === held.record.rowid) this.scroller.scrollTop = at * this.height + held.rest
  }

  show(view, place) {
    this.view = view
    if (!this.height) this.measure()
    this.body.style.height = `${view.length * this.height}px`
    this.body.dataset.window = ""
    if (place) this.hold(view, place)
    this.draw()
  }

  draw() {
    if (!this.view) return
    const { scrollTop, clientHeight } = this.scroller
    const top = Math.floor(scrollTop / this.height)
    const first = Math.max(0, top - spare)
    const last = Math.min(this.view.length, Math.ceil((scrollTop + clientHeight) / this.height) + spare)
    this.anchor = this.view[top] ? { record: this.view[top], rest: scrollTop - top * this.height } : null
    this.lay(first, last)
  }

  lay(first, last) {
    const wanted = new Set()
    for (let i = first; i < last; i++) wanted.add(this.view[i].rowid)
    const idle = []
    for (const [rowid, tr] of this.live) {
      if (wanted.has(rowid)) continue
      idle.push(tr)
      this.live.delete(rowid)
    }
    let next = this.body.firstElementChild
    for (let i = first; i < last; i++) {
      const record = this.view[i]
      let tr = this.live.get(record.rowid)
      if (!tr) {
        tr = idle.pop() ?? this.make()
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
