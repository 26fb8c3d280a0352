// The status light, in words: live, polling, reconnecting or offline. A table that is not live is marked, too.
import { hour, now } from "./clock.js"
import { $, flag, put } from "./dom.js"
import { on } from "./live.js"

const patience = 15000
const title = document.title
let current = { lostAt: 0 }

function words({ state, lostAt, until, text = "Live" }, since) {
  if (state) return [state, text]
  if (lostAt && (Date.now() - lostAt > patience || !navigator.onLine)) return ["offline", `Offline since ${since}`]
  const rest = Math.ceil((until - Date.now()) / 1000)
  return ["reconnecting", !lostAt ? "Connecting" : rest > 0 ? `Reconnecting ${rest} s` : "Reconnecting"]
}

function draw() {
  const { lostAt } = current
  const since = hour(lostAt + now() - Date.now())
  const [state, text] = words(current, since)
  const light = $("#light")
  put($("#light-words"), text)
  if (light.dataset.state !== state) {
    light.dataset.state = state
    put($("#light-said"), state === "reconnecting" ? "Reconnecting" : text)
  }
  document.title = state === "offline" ? `Offline · ${title}` : title
  flag($("#main"), "data-stale", lostAt > 0)
  flag($("#stale"), "hidden", !lostAt)
  put($("#stale"), `Not live: rows are as of ${since}`)
}

export function mountLight() {
  on("state", state => { current = state; draw() })
  setInterval(draw, 1000)
  addEventListener("offline", draw)
}
