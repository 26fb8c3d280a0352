// Where alarms are sent, and a test of it (admins).
import { call, tell } from "../api.js"
import { $, el } from "../dom.js"

async function send(section, button) {
  const problem = $(".problem", section)
  button.disabled = true
  try {
    const { places } = await call("POST", "/v3/alarms/test", {})
    $("#alarm-places").replaceChildren(...places.map(({ place, kind, sent }) =>
      el("li", `${place}. ${kind}: ${sent ? "took the test" : "did not take the test"}`, { className: sent ? "" : "problem" })))
    tell(problem, null)
  } catch (trouble) { tell(problem, trouble) }
  button.disabled = false
}

export function mount(section) {
  const button = $("#alarm-test")
  button?.addEventListener("click", () => send(section, button))
}
