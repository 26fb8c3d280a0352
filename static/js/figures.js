// The strip of figures: asked again after changes, but not more often than the rush allows.
import { get } from "./api.js"
import { minutesSince, startOfToday } from "./clock.js"
import { $, $$, flag, put } from "./dom.js"
import { favour, number, signed, span } from "./format.js"
import { on } from "./live.js"

let today = $("#signals").dataset.today
let timer, seen = 0, askedAt = 0

function draw(figures) {
  for (const [name, value] of Object.entries(figures)) {
    const cell = $(`[data-figure="${name}"]`)
    if (name === "errors") flag(cell, "data-alarm", value > 0)
    if (name === "last_alert") flag(cell.lastElementChild, "data-time", value)
    else put(cell?.lastElementChild, name === "average_slippage" ? signed(value) : number(value))
    if (name === "average_slippage") flag(cell, "data-favour", favour(value))
  }
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

export function mountFigures() {
  on("signal", soon)
  on("resync", soon)
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh() })
  setInterval(tick, 5000)
  tick()
}
