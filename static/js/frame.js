// The parts of every page: theme, zone, light, session, help.
import "./choices.js"
import { zone } from "./clock.js"
import { $, put } from "./dom.js"
import { mountLight } from "./light.js"
import { mountSession } from "./session.js"
import { start } from "./socket.js"

function key({ key, target }) {
  if (key === "Escape" && $("#user")) $("#user").open = false
  if (key === "?" && !target.closest("input, select, textarea") && !$("dialog[open]")) $("#help").showModal()
}

put($("#zone"), matchMedia("(width < 48rem)").matches ? zone.split("/").at(-1) : zone)
document.addEventListener("keydown", key)
document.addEventListener("click", ({ target }) => {
  if ($("#user") && !target.closest("#user")) $("#user").open = false
})
mountSession()
if ($("#light")) {
  mountLight()
  queueMicrotask(start)
}
