// The strip of figures. It is loaded again after changes, but not too often.
import { get } from "./api.js"
import { minutesSince, startOfToday } from "./clock.js"
import { cost } from "./cost.js"
import { $, $$, flag, put } from "./dom.js"
import { ago, number, span } from "./format.js"
import { on } from "./live.js"

let today = $("#signals").dataset.today
const alarm = +$("#signals").dataset.alarm
const bridge = $('[data-figure="bridge"]')
let timer, seen = 0, askedAt = 0

function draw(figures) {
  for (const [name, value] of Object.entries(figures)) {
    const cell = $(`[data-figure="${name}"]`)
    if (name === "not_traded") flag(cell, "data-late", value > 0 && "amber")
    if (name === "errors") flag(cell, "data-alarm", value > 0)
    if (name === "last_alert") flag(cell.lastElementChild, "data-time", value)
    else if (name === "slippage") cost(cell.lastElementChild, value)
    else put(cell?.lastElementChild, number(value))
  }
  for (const [name, status] of [["errors", "failed"], ["not_traded", "not_traded"]])
    $(`[data-figure="${name}"] a`).search = new URLSearchParams({ status, since: today })
  tick()
}

function tick() {
  for (const dd of $$("#figures [data-time]")) put(dd, span(minutesSince(dd.dataset.time)))
  if (bridge) hear(bridge.lastElementChild)
  if (startOfToday() !== today) refresh()
}

// Shows when the bridge polled last. It polls every few seconds; a long pause is marked if signals wait.
function hear(dd) {
  const quiet = dd.dataset.seen ? minutesSince(dd.dataset.seen) : Infinity
  const late = quiet > 1 && $('[data-figure="waiting"] dd').textContent !== "0"
  put(dd, quiet < Infinity ? ago(quiet * 60) : "never")
  put(dd.previousElementSibling, late ? "Bridge silent" : "Bridge")
  flag(bridge, "data-late", late && (quiet < Infinity && quiet > alarm ? "red" : "amber"))
}

async function refresh() {
  timer = null
  if (document.hidden) return
  today = startOfToday()
  askedAt = Date.now()
  seen = 0
  try {
    draw(await get(`/v3/figures?since=${encodeURIComponent(today)}`))
  } catch { /* the light shows that the server is away; the next change asks again */ }
}

function soon() {
  seen += 1
  const gap = seen > 40 ? 10000 : 2000
  timer ??= setTimeout(refresh, Math.max(150, askedAt + gap - Date.now()) * (1 + Math.random() / 4))
}

export function mountFigures() {
  on("signal", soon)
  on("resync", soon)
  if (bridge) on("bridge", ({ last_seen }) => { bridge.lastElementChild.dataset.seen = last_seen; tick() })
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh() })
  setInterval(tick, 1000)
  tick()
}
