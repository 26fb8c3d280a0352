// The parts of every page: theme, zone, menu, help, the light that says whether the page is live, the tab's title and icon.
import { toast } from "./dialogs.js"
import { $, flag, page, put } from "./dom.js"
import { hour, now, zone } from "./format.js"
import { on, start } from "./live.js"
import { mountMode } from "./mode.js"
import { mountSession } from "./session.js"

const root = document.documentElement
const patience = 15000
const name = document.title
const told = { alarms: 0, today: "" }
let current = { lostAt: 0 }

// Keeps a choice of the reader; theme.js applies it before the first paint.
export function remember(name, value) {
  root.dataset[name] = value
  try { localStorage.setItem(name, value) } catch { /* a private window may refuse; then it holds for this page only */ }
}

// Theme and row height.
for (const choice of ["theme", "density"]) {
  const select = $(`#${choice}`)
  if (!select) continue
  select.value = root.dataset[choice]
  select.addEventListener("change", () => remember(choice, select.value))
}

// --- the light ---

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
  flag($(".bar"), "data-lost", lostAt > 0 && state)
  flag($("#main"), "data-stale", lostAt > 0)
  flag($("#stale"), "hidden", !lostAt)
  put($("#stale"), `Not live: rows are as of ${since}`)
  title(state)
}

// --- the tab ---

const icons = { alarm: "#c6322b", offline: "#6f6f6f", live: "#23764a" }

function title(state) {
  const away = state === "offline"
  const { alarms, today } = told
  document.title = [away ? "Offline" : "", `${alarms ? `(${alarms}) ` : ""}${today || ""}`.trim(), name].filter(Boolean).join(" · ")
  const colour = icons[away ? "offline" : alarms ? "alarm" : "live"]
  const icon = $("link[rel=icon]")
  if (icon.dataset.colour === colour) return
  icon.dataset.colour = colour
  icon.href = `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="16" cy="16" r="14" fill="${colour}"/><path d="M7 20l6-7 5 5 7-8" fill="none" stroke="#fff" stroke-width="3"/></svg>`)}`
}

// Shows the number of open alarms and today's profit in the tab.
export function tellTab(facts) {
  Object.assign(told, facts)
  if ($("#light")) draw()
}

// --- keys, menu, a newer version ---

function key({ key, target }) {
  if (key === "Escape" && $("#user")) $("#user").open = false
  if (key === "?" && !target.closest("input, select, textarea") && !$("dialog[open]")) $("#help").showModal()
}

let isOutdated = false

function outdated() {
  if (!isOutdated) toast("A newer version is installed.", "Reload", () => location.reload(), Infinity)
  isOutdated = true
}

put($("#zone"), matchMedia("(width < 48rem)").matches ? zone.split("/").at(-1) : zone)
document.addEventListener("keydown", key)
document.addEventListener("click", ({ target }) => {
  if ($("#user") && !target.closest("#user")) $("#user").open = false
})
on("hello", ({ assets }) => { if (assets && page.assets && assets !== page.assets) outdated() })
on("outdated", outdated)
mountSession()
mountMode()
if ($("#light")) {
  on("state", state => { current = state; draw() })
  setInterval(draw, 1000)
  addEventListener("offline", draw)
  queueMicrotask(start)
}
