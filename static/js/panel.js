// The side panel: a signal with its legs and history, and what can be done about it. The URL has the open signal as ?signal=.
import { activate, call, get, tell } from "./api.js"
import { confirm, load, toast } from "./dialogs.js"
import { $, address, clone, el, flag, later, page, put, show } from "./dom.js"
import { ago, capital, clock, exact, favour, minutesSince, number, signed, span, startOfToday } from "./format.js"
import { kind, message, name, original, remedy, shown, slipMoney, word } from "./status.js"

const phone = matchMedia("(width < 48rem)")
const stale = 15 // minutes: the age of an older alert is told before it is offered
const pause = 600 // milliseconds until new buttons work

export class Panel {
  constructor({ find, moved }) {
    Object.assign(this, { find, moved, root: $("#panel"), rowid: null, turn: 0 })
    this.history = later(rowid => drawHistory(rowid, () => this.rowid === rowid, expires => { this.expires = expires; this.tick() }), 150)
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
    if (rowid !== this.rowid) this.expires = null
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

  say(problem) { tell($(":scope > .inner > .problem", this.root), problem) }

  // Draws the signal anew after the page has loaded its rows again.
  refresh() {
    if (!this.rowid) return
    const known = this.find(this.rowid)
    if (known) this.draw(known)
    else this.fetch(this.rowid)
  }

  // What was pushed meanwhile is newer than the answer.
  async fetch(rowid) {
    const turn = ++this.turn
    try {
      const signal = await get(`/v3/signal/${rowid}`)
      if (this.turn === turn) this.draw(signal)
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
    this.turn += 1
    this.signal = s
    this.say(null)
    show(root, {
      name: name(s), rowid: s.rowid, pill: word(s), message: message(s), original: original(s) === message(s) ? "" : original(s),
      ticker: s.ticker,
      action: capital(s.order_action), quantity: number(s.order_contracts), price: number(s.order_price, 2),
      fill: number(s.fill_price, 2), slip: signed(s.slip), money: slipMoney(s),
    })
    for (const key of ["slip", "money"]) flag($(`[data-show="${key}"]`, root), "data-favour", favour(s.slip))
    $("[data-show=pill]", root).dataset.kind = kind(s)
    $("#panel-pair").hidden = !page.user || !s.ticker_type || remedy(s) === "register"
    $("#panel-pair").href = `/pair/${encodeURIComponent(name(s))}`
    put($("#panel-pair bdi"), name(s))
    $("[data-show=age]", root).title = exact(s.timestamp)
    this.tick()
    $(".legs tbody", root).replaceChildren(...legs(s).map(leg))
    $(".fields", root).replaceChildren(...Object.entries(s).filter(shown).map(field))
    this.drawActs(s)
    this.history(s.rowid)
  }

  // Keeps the age true.
  tick() {
    if (!this.signal) return
    const { timestamp } = this.signal
    const age = minutesSince(timestamp)
    const left = this.expires && ["waiting", "held"].includes(kind(this.signal)) ? -minutesSince(this.expires) : null
    show(this.root, { expires: left === null ? "" : left > 0 ? `Expires at ${clock(this.expires, startOfToday())}, in ${ago(60 * left)}.` : "Expired." })
    show(this.root, { age: `Received ${clock(timestamp, startOfToday())}, ${age < 1 ? "just now" : `${span(age)} ago`}.` })
  }

  // --- what can be done ---

  // The buttons stay as they are while their acts do. New ones wait a moment, so that a click that was meant for the old ones is lost.
  drawActs(s) {
    const place = $("#panel-acts")
    place.hidden = !page.user
    const all = [...acts(s), ["Edit", edit, "quiet"]]
    const drawn = `${s.rowid} ${all.map(([label]) => label)}`
    const other = this.drawn?.startsWith(`${s.rowid} `) && this.drawn !== drawn
    if (this.drawn === drawn || !page.user) return
    this.drawn = drawn
    place.replaceChildren(...all.map(([label, work, style = ""]) => {
      const button = el("button", label, { type: "button", className: style, disabled: other })
      button.addEventListener("click", () => this.attempt(button, () => work(this.signal)))
      if (other) setTimeout(() => { button.disabled = false }, pause)
      return button
    }))
  }

  async attempt(button, work) {
    button.disabled = true
    try {
      await work()
      this.say(null)
    } catch (problem) {
      const fields = Object.values(problem.fields ?? {}).join(" ")
      this.say(fields ? { ...problem, message: `That was refused: ${fields}.` } : problem)
    }
    button.disabled = false
  }
}

// The acts for a signal in its state: [label, what is done, style of the button].
function acts(s) {
  const drop = [["Cancel", cancel]]
  if (kind(s) === "waiting") return drop
  if (kind(s) === "held") return [["Approve", approve, "primary"], ["Refuse", refuse]]
  const mended = remedies[remedy(s)]?.(s)
  return [...mended ? [[mended[0], () => offerAgain(s, mended[1]), "primary"]] : [], ...kind(s) === "error" ? drop : []]
}

// What mends the reason why a signal was not traded: what the act is called, and what is done.
const remedies = {
  register: s => [`Register ${name(s)} and offer again`, register],
  activate: s => [`Activate ${name(s)} and offer again`, s => activate(name(s), s.stk_ticker2)],
  hedge: s => [`Set ${name(s)} to ${number(s.hedge_param)} and offer again`, s => call("PUT", "/v3/regpair", { name: name(s), hedge: s.hedge_param })],
  offer: () => ["Offer again", () => true],
}

// Registers the ticker as the alert names it. Where that leaves doubts, Setup asks.
async function register(s) {
  const [{ isCertain, register }, read] = await Promise.all([
    load(() => import("./registry.js")), get(`/v3/equation?text=${encodeURIComponent(s.ticker)}`),
  ])
  if (isCertain(read)) return register(read)
  location.assign(`/setup?register=${encodeURIComponent(s.ticker)}#registry`)
  return false
}

const edit = async s => (await load(() => import("./edit.js"))).edit(s)

const mayOffer = (s, verb) => {
  const age = minutesSince(s.timestamp)
  return age < stale || confirm(`Trade an alert that is ${span(age)} old?`, `${capital(s.order_action)} ${number(s.order_contracts)} ${name(s)} is sent at the price of now, not of then.`, verb)
}

// Changes a signal, unless it has another status by now: the bridge may have been faster.
const change = ({ rowid, order_status }, fields) => call("PUT", "/v3/webhook", { rowid, expected_status: order_status, ...fields })

async function offerAgain(s, mend) {
  if (!await mayOffer(s, "Offer again") || await mend(s) === false) return
  const { order_status, status_msg, error_msg } = s
  await change(s, { order_status: "waiting", status_msg: null, error_msg: null })
  const undo = async () => {
    try { await change({ ...s, order_status: "waiting" }, { order_status, status_msg, error_msg }) } catch (problem) { toast(`Signal ${s.rowid} was not taken back: ${problem.message}`) }
  }
  toast(`Signal ${s.rowid} is offered to the bridge.`, "Undo", undo)
}

async function cancel(s) {
  await change(s, { order_status: "canceled" })
  toast(`Signal ${s.rowid} is canceled.`)
}

async function approve(s) {
  if (!await mayOffer(s, "Approve")) return
  await call("POST", `/v3/signal/${s.rowid}/approve`)
  toast(`Signal ${s.rowid} is approved and offered to the bridge.`)
}

async function refuse(s) {
  await call("POST", `/v3/signal/${s.rowid}/refuse`)
  toast(`Signal ${s.rowid} is refused.`)
}

// --- its parts ---

function legs(s) {
  const other = { buy: "sell", sell: "buy" }[s.order_action]
  const found = [[s.stk_ticker1, s.order_action, s.order_contracts, s.order_id1, s.stk_price1]]
  if (s.stk_ticker2) found.push([s.stk_ticker2, other, Math.floor(s.order_contracts * s.hedge_param), s.order_id2, s.stk_price2])
  return found.filter(([symbol]) => symbol)
}

function leg([symbol, side, size, order, price]) {
  const row = clone("leg")
  show(row, { symbol, side: capital(side), size: number(size), order, price: number(price, 2) })
  return row
}

function field([key, value]) {
  const pair = clone("field")
  put($("dt", pair), key)
  put($("dd", pair), key === "timestamp" ? exact(value) : value)
  return pair
}

// --- its history: who changed what, and why ---

const labels = {
  order_status: "Status", status_msg: "Message", error_msg: "Error", slip: "Slippage", expires: "Expires", mar_pos: "Position", mar_pos_size: "Position size",
  pre_mar_pos: "Position before", pre_mar_pos_size: "Size before", strategy_pos: "Position that the strategy wants",
}
const label = field => labels[field] ?? capital(field.replace(/^(order|stk)_(?!id)/, "").replaceAll("_", " ").replace(/\d$/, " of leg $&"))
const told = ["expires", "strategy_pos"] // of a new signal
const titles = { "signal.created": "Received", "signal.updated": "Changed", "signal.deleted": "Deleted" }
const who = source => page.words.sources?.[source] ?? source
const text = (value, field) => (value ?? "") === "" ? "–" : field === "expires" ? clock(value, startOfToday())
  : typeof value === "number" && !/_id/.test(field) ? number(value) : `${value}`

// The lines of an event. Of a new signal only what a rule has changed of the alert: what was sent, and what is traded instead.
function lines({ type, changes }) {
  const isNew = type === "signal.created"
  return Object.entries(changes).filter(shown).flatMap(([field, [old, fresh]]) => {
    const [from, to] = [text(old, field), text(fresh, field)]
    if (from === to || (isNew && old === null && !told.includes(field))) return []
    return isNew && old === null ? `${label(field)}: ${to}` : isNew ? `${label(field)}: ${from} sent, ${to} traded` : `${label(field)}: ${from} → ${to}`
  })
}

function moment(event) {
  const { type, time, source, changes } = event
  const item = clone("moment")
  const status = type === "signal.updated" && changes.order_status
  const why = changes.status_msg?.[1] ?? ""
  show(item, {
    title: status ? `Now ${status[1]}` : titles[type] ?? type, source: source ? `by ${who(source)}` : "",
    why: message({ status_msg: why }),
  })
  put($("time", item), clock(time, startOfToday()))
  $("time", item).title = exact(time)
  $("ul", item).append(...lines(event).map(line => el("li", line)))
  return item
}

// Draws the history, and calls `expires` with the time until which the signal may be traded, null for always.
async function drawHistory(rowid, still, expires) {
  const note = $("#timeline-note")
  if (!page.user) return tell(note, { status: 401, message: "The history is for logged-in users." })
  try {
    const { events } = await get(`/v3/signal/${rowid}/events`)
    if (!still()) return
    $("#timeline").replaceChildren(...events.map(moment))
    expires(events.findLast(each => each.changes.expires)?.changes.expires[1] ?? null)
    tell(note, events.length ? null : { message: "No events are kept for this signal." })
  } catch (problem) {
    if (!still()) return
    $("#timeline").replaceChildren()
    tell(note, problem)
  }
}
