// The bridge: when it polled, whether it will trade what is sent, and the file that connects it.
import { call, get, tell } from "./api.js"
import { copy, mountReveal } from "./dialogs.js"
import { $, clone, el, page, put, show } from "./dom.js"
import { ago, exact, minutesSince, plural } from "./format.js"
import { on } from "./live.js"

let state = page.bridge ?? {}
const late = 1  // minutes without a poll until the bridge counts as silent; it polls every 10 s

export const seen = () => state.last_seen
const polls = () => Boolean(state.last_seen) && minutesSince(state.last_seen) < late
export const since = text => text ? `${ago(minutesSince(text) * 60)} ago` : "never"

// What the bridge does with a signal that is sent now.
export const willTrade = () => polls() ? "The bridge will trade this." : state.last_seen
  ? `The bridge is silent since ${exact(state.last_seen)}. It will trade this when it is back.`
  : "No bridge has polled yet. The signal will wait for the first one."

// Calls `draw` now, whenever the bridge has polled, and each second: ages grow.
export function watch(draw) {
  on("bridge", draw)
  setInterval(draw, 1000)
  draw()
}

on("bridge", told => { state = told })

function draw() {
  put($("#bridge-seen"), since(state.last_seen))
  $("#bridge-seen").title = state.last_seen ? exact(state.last_seen) : ""
  put($("#bridge-reported"), since(page.reported))
  put($("#bridge-waiting"), plural(state.waiting ?? 0, "signal"))
  $("#bridge-first").hidden = polls() || !state.waiting
}

async function load(revealed) {
  const place = $("#bridge > .problem[role]")
  try {
    const { config, refused } = await get(`/v3/bridge/config${revealed ? "?reveal=1" : ""}`)
    put($("#bridge-config"), config)
    $("#bridge-refused").hidden = !refused
    tell(place, null)
  } catch (problem) { tell(place, problem) }
}

// Copies the file with the real secrets, because the masked one would not work.
async function copyFile() {
  try {
    copy((await get("/v3/bridge/config?reveal=1")).config, $("#bridge-config"), "The file is copied, with the passphrase and the key in it.")
  } catch (problem) { tell($("#bridge > .problem[role]"), problem) }
}

export function mount(section) {
  mountReveal($("[data-act=reveal]", section), "passphrase and key", load)
  $("[data-act=copy]", section).addEventListener("click", copyFile)
  on("account", ({ account }) => { page.reported = account.timestamp })
  watch(draw)
}

// --- alarms ---

async function test(section, button, path, body) {
  const place = $(".problem[role]", section)
  button.disabled = true
  try {
    const { places } = await call("POST", path, body)
    $("#alarm-places").replaceChildren(...places.map(({ place, kind, sent, why }) =>
      el("li", `${place}. ${kind}: ${sent ? "took the test." : `did not take the test: ${why}.`}`, { className: sent ? "" : "problem" })))
    tell(place, null)
  } catch (trouble) { tell(place, trouble) }
  button.disabled = false
}

const kinds = { trips: "A trip that closed", refused: "Entries that a rule refused", summary: "The summary of a day" }

function message(section, { kind, on: isOn, title, text }) {
  const node = clone("message-kind")
  show(node, { kind: kinds[kind], on: isOn ? "on" : "off", text: `${title}\n${text}` })
  const button = $("button", node)
  button?.setAttribute("aria-label", `Send as a test: ${kinds[kind]}`)
  button?.addEventListener("click", () => test(section, button, "/v3/messages", { kind }))
  return node
}

async function loadMessages(section) {
  try {
    const { messages } = await get("/v3/messages")
    $("#messages").replaceChildren(...messages.map(each => message(section, each)))
  } catch { /* the examples are missing, all else is there */ }
}

export function mountAlarms(section) {
  const button = $("#alarm-test")
  button?.addEventListener("click", () => test(section, button, "/v3/alarms/test", {}))
  loadMessages(section)
}
