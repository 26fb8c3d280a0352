// What the reader does in the table: sort it, move with the keys, open a row.
import { $, $$, address, flag } from "./dom.js"
import { order, sortable } from "./order.js"

const newestFirst = ["row", "time"]

export class Walk {
  constructor(table, store, window, panel) {
    Object.assign(this, { table, store, window, panel, key: "row", down: true })
    table.tHead.addEventListener("click", ({ target: { dataset } }) => dataset.sort && this.turn(dataset.sort))
    table.tBodies[0].addEventListener("click", event => this.click(event))
    document.addEventListener("keydown", event => this.press(event))
    $("#sort").addEventListener("change", ({ target }) => this.sort(target.value, newestFirst.includes(target.value)))
    const [, minus, key] = /^(-?)(\w+)$/.exec(new URLSearchParams(location.search).get("sort")) ?? []
    if (sortable(key)) this.sort(key, Boolean(minus))
  }

  press(event) {
    const { key, target } = event
    if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return
    const typing = target.closest("input, select, textarea")
    if (key === "Escape" && typing) target.blur()
    else if (key === "Escape") return this.panel.close()
    else if (typing) return
    else if (key === "j" || key === "k") this.move(key === "j" ? 1 : -1)
    else if (key === "/") $("[type=search]")?.select()
    else return
    event.preventDefault() // Esc would empty the search field
  }

  turn(key) { this.sort(key, this.key === key ? !this.down : newestFirst.includes(key)) }

  sort(key, down) {
    Object.assign(this, { key, down })
    this.store.sort(order(key, down))
    for (const th of $$("th", this.table)) {
      flag(th, "aria-sort", th.dataset.field === key ? (down ? "descending" : "ascending") : null)
    }
    $("#sort").value = key
    address({ sort: key === "row" && down ? "" : (down ? "-" : "") + key })
    this.window.scroller.scrollTop = 0
    this.window.show(this.store.view)
  }

  click(event) {
    const tr = event.target.closest("tr[data-rowid]")
    if (!tr || event.ctrlKey || event.metaKey || getSelection().type === "Range") return
    event.preventDefault()
    this.panel.open(+tr.dataset.rowid, { focus: event.detail === 0 })
  }

  // Moves one row down (1) or up (-1); an open panel follows.
  move(step) {
    const { view } = this.store
    const old = this.store.get(this.selected)
    const at = Math.max(0, Math.min(view.length - 1, old ? this.store.place(old) + step : 0))
    if (!view.length) return
    this.selected = view[at].rowid
    this.reveal(at)
    if (this.panel.rowid) this.panel.open(this.selected)
    $(`tr[data-rowid="${this.selected}"] a`, this.table)?.focus({ preventScroll: true })
  }

  reveal(at) {
    const { height, scroller } = this.window
    const room = scroller.clientHeight - this.table.tHead.offsetHeight - height
    scroller.scrollTop = Math.min(at * height, Math.max(scroller.scrollTop, at * height - room))
    this.window.draw()
  }
}
