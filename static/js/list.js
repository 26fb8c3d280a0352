// The list: the signals that the filters choose, with their totals and their file.
import "./frame.js"
import { get } from "./api.js"
import { $, $$, clone, page, put } from "./dom.js"
import { asked } from "./filters.js"
import { number } from "./format.js"
import { on } from "./live.js"
import { Signals } from "./signals.js"
import { cost } from "./status.js"

const pause = 1000 // milliseconds

function draw(totals) {
  signals.total = totals.count
  signals.tell()
  put($('[data-total="count"] dd'), number(totals.count))
  put($('[data-total="quantity"] dd'), number(totals.quantity))
  for (const [side, slippage] of Object.entries({ all: totals.slippage, ...totals.slippage_by_action })) {
    cost($(`[data-total="${side}"] dd`), slippage)
  }
  $("#by-status").replaceChildren(...Object.entries(totals.by_status).map(([status, n]) => {
    const item = clone("status-count")
    put($("bdi", item), status)
    put($("b", item), number(n))
    return item
  }))
}

let turn = 0, timer

async function refresh() {
  timer = null
  const mine = ++turn
  try {
    const totals = await get(`/v3/totals?${new URLSearchParams(asked())}`)
    if (mine === turn) draw(totals)
  } catch { /* the foot of the table says what is wrong */ }
}

// After a change the sums are asked for at most once a second; sums of other filters are taken away at once.
const soon = () => { timer ??= setTimeout(refresh, pause) }

function other() {
  for (const dd of $$("#totals dd")) dd.replaceChildren()
  signals.total = null
  clearTimeout(timer)
  refresh()
}

function file() { $("#csv").href = `/v3/signals/0.csv?${signals.query()}` }

let shown = String(new URLSearchParams(asked()))

function changed() {
  file()
  const query = String(new URLSearchParams(asked()))
  if (query !== shown) other()
  shown = query
}

const signals = new Signals(changed)
draw(page.totals)
file()
on("signal", soon)
on("resync", soon)
