// What every page has: theme, zone, light, session, help.
import { zone, zoneShort } from "./clock.js"
import { $, put, remember } from "./dom.js"
import { mountLight } from "./light.js"
import { start } from "./live.js"
import { mountSession } from "./session.js"

const themes = { "": ["Auto", "follows the system"], light: ["Light", "light"], dark: ["Dark", "dark"] }

function drawTheme() {
  const [word, meaning] = themes[document.documentElement.dataset.theme] ?? themes[""]
  put($("#theme"), word)
  $("#theme").setAttribute("aria-label", `Theme: ${meaning}`)
}

function nextTheme() {
  const names = Object.keys(themes)
  const next = names[(names.indexOf(document.documentElement.dataset.theme) + 1) % names.length]
  document.documentElement.dataset.theme = next
  remember("theme", next)
  drawTheme()
}

function closeMenu({ type, key, target }) {
  const menu = $("#user")
  if (menu?.open && (key === "Escape" || type === "click" && !menu.contains(target))) menu.open = false
}

drawTheme()
$("#theme").addEventListener("click", nextTheme)
put($("#zone"), matchMedia("(width < 48rem)").matches ? zoneShort() : zone)
document.addEventListener("click", closeMenu)
document.addEventListener("keydown", closeMenu)
document.addEventListener("keydown", event => {
  if (event.key === "?" && !event.target.closest("input, select, textarea") && !$("dialog[open]")) $("#help").showModal()
})
mountSession()
if ($("#light")) {
  mountLight()
  queueMicrotask(start)
}
