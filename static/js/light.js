// The status light: live, reconnecting or offline, in words; a table that is not live says so itself.
import { hour, now } from "./clock.js"
import { $, flag, put } from "./dom.js"
import { on } from "./live.js"

const patience = 15000
const title = document.title
let current = { state: "connecting", lostAt: 0 }

function words({ state, lostAt, until }) {
  if (state === "live") return ["live", "Live"]
  if (lostAt && (Date.now() - lostAt > patience || !navigator.onLine)) return ["offline", `Offline since ${hour(now() - (Date.now() - lostAt))}`]
  const rest = Math.ceil(((until ?? 0) - Date.now()) / 1000)
  return ["reconnecting", !lostAt ? "Connecting" : rest > 0 ? `Reconnecting ${rest} s` : "Reconnecting"]
}

function draw() {
  const [state, text] = words(current)
  const light = $("#light")
  const lost = state !== "live" && current.lostAt > 0
  put($("#light-words"), text)
  if (light.dataset.state !== state) {
    light.dataset.state = state
    put($("#light-said"), state === "reconnecting" ? "Reconnecting" : text)
  }
  document.title = state === "offline" ? `Offline · ${title}` : title
  flag($("#main"), "data-stale", lost)
  const note = $("#stale")
  if (!note) return
  note.hidden = !lost
  if (lost) put(note, `Not live: rows are as of ${hour(now() - (Date.now() - current.lostAt))}`)
}

export function mountLight() {
  on("state", state => { current = state; draw() })
  setInterval(draw, 1000)
  addEventListener("offline", draw)
}
