// The side panel: every field of a signal, its legs, and its timeline. The URL has the open signal as ?signal=.
import { get, tell } from "./api.js"
import { $, address, clone, flag, later, put, show } from "./dom.js"
import { capital, favour, number, signed } from "./format.js"
import { slipMoney } from "./row.js"
import { kind, message, name, shown, word } from "./status.js"

const phone = matchMedia("(width < 48rem)")

export class Panel {
  constructor({ settings, find, moved }) {
    Object.assign(this, { settings, find, moved, root: $("#panel"), rowid: null })
    this.history = later(rowid => this.timeline(rowid), 150)
    $("#panel-close").addEventListener("click", () => this.close())
    addEventListener("popstate", () => this.follow())
  }

  // Opens the signal that the URL names.
  follow() {
    const rowid = +new URLSearchParams(location.search).get("signal")
    if (rowid) this.open(rowid, { told: true })
    else this.hide()
  }

  async open(rowid, { told, focus } = {}) {
    const push = this.root.hidden
    this.rowid = rowid
    if (!told) address({ signal: rowid }, push ? { push, state: { panel: true } } : {})
    this.root.hidden = false
    flag($("#main .grid"), "inert", phone.matches)
    this.moved(rowid)
    const known = this.find(rowid)
    if (known) this.draw(known)
    else await this.fetch(rowid)
    if (focus || phone.matches) $("#panel-title").focus()
  }

  async timeline(rowid) {
    try {
      const { drawTimeline } = await import("./timeline.js")
      drawTimeline(rowid, this.settings.today, () => this.rowid === rowid)
    } catch {
      tell($("#timeline-note"), { message: "The timeline did not load. Reload the page to try again." })
    }
  }

  say(problem) { tell($(".problem", this.root), problem) }

  async fetch(rowid) {
    try {
      const signal = await get(`/v3/signal/${rowid}`)
      if (this.rowid === rowid) this.draw(signal)
    } catch (problem) {
      show(this.root, { name: "", rowid })
      this.say(problem.status === 404 ? { message: `There is no signal in row ${rowid} any more.` } : problem)
    }
  }

  close() {
    if (this.root.hidden) return
    const rowid = this.rowid
    if (history.state?.panel) history.back()
    else address({ signal: "" })
    this.hide()
    $(`#signals tr[data-rowid="${rowid}"] a`)?.focus()
  }

  hide() {
    this.rowid = null
    this.root.hidden = true
    flag($("#main .grid"), "inert", null)
    this.moved(null)
  }

  update(signal) { if (signal.rowid === this.rowid) this.draw(signal) }

  gone(rowid) {
    if (rowid === this.rowid) this.say({ message: `The signal of row ${rowid} was deleted.` })
  }

  draw(s) {
    const root = this.root
    this.say(null)
    show(root, {
      name: name(s), rowid: s.rowid, pill: word(s), message: message(s), ticker: s.ticker, action: capital(s.order_action),
      quantity: number(s.order_contracts), price: number(s.order_price, 2), fill: number(s.fill_price, 2),
      slip: signed(s.slip), money: slipMoney(s, this.settings),
    })
    for (const key of ["slip", "money"]) flag($(`[data-show="${key}"]`, root), "data-favour", favour(s.slip))
    $("[data-show=pill]", root).dataset.kind = kind(s)
    const edit = $("#panel-edit")
    if (edit) edit.href = `/setup?signal=${s.rowid}#signals`
    this.legs(s)
    $(".fields", root).replaceChildren(...Object.entries(s).filter(shown).map(field))
    this.history(s.rowid)
  }

  legs(s) {
    const other = { buy: "sell", sell: "buy" }[s.order_action]
    const legs = [[s.stk_ticker1, s.order_action, s.order_contracts, s.order_id1, s.stk_price1]]
    if (s.stk_ticker2) legs.push([s.stk_ticker2, other, Math.floor(s.order_contracts * s.hedge_param), s.order_id2, s.stk_price2])
    $(".legs tbody", this.root).replaceChildren(...legs.filter(([symbol]) => symbol).map(leg))
  }
}

function leg([symbol, side, size, order, price]) {
  const row = clone("leg")
  show(row, { symbol, side: capital(side), size: number(size), order, price: number(price, 2) })
  return row
}

function field([key, value]) {
  const pair = clone("field")
  put($("dt", pair), key)
  put($("dd", pair), value)
  return pair
}
