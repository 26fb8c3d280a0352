// The strip of figures: asked again after changes, but not more often than the rush allows.
import { get } from "./api.js"
import { minutesSince, startOfToday } from "./clock.js"
import { $, $$, flag, put } from "./dom.js"
import { favour, number, signed, span } from "./format.js"
import { on } from "./live.js"

let today = startOfToday()
let timer, seen = 0, askedAt = 0

const cell = name => $(`[data-figure="${name}"]`)

function draw(figures) {
  for (const name of ["waiting", "open", "filled", "canceled", "errors"]) put($("dd", cell(name)), number(figures[name]))
  flag(cell("errors"), "data-alarm", figures.errors > 0)
  put($("dd", cell("average_slippage")), signed(figures.average_slippage))
  flag(cell("average_slippage"), "data-favour", favour(figures.average_slippage))
  flag($("dd", cell("last_alert")), "data-time", figures.last_alert)
  tick()
}

function tick() {
  for (const dd of $$("#figures [data-time]")) put(dd, span(minutesSince(dd.dataset.time)))
  if (startOfToday() !== today) refresh()
}

async function refresh() {
  timer = null
  if (document.hidden) return
  today = startOfToday()
  askedAt = Date.now()
  seen = 0
  try {
    draw(await get(`/v3/figures?since=${encodeURIComponent(today)}`))
  } catch { /* the light already says that the server is away; the next change asks again */ }
}

function soon() {
  seen += 1
  const gap = seen > 40 ? 10000 : 2000
  timer ??= setTimeout(refresh, Math.max(150, askedAt + gap - Date.now()) * (1 + Math.random() / 4))
}

function created({ signal }, verb) {
  if (verb !== "created") return
  const dd = $("dd", cell("last_alert"))
  if (!dd.dataset.time || signal.timestamp > dd.dataset.time) dd.dataset.time = signal.timestamp
  tick()
}

export function mountFigures() {
  on("signal", (message, verb) => { created(message, verb); soon() })
  on("resync", soon)
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh() })
  setInterval(tick, 5000)
  if (today !== $("#signals").dataset.today) refresh()
}
