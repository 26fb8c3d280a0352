// The mode of trading: a button in the bar tells it on every page, and its dialog sets it. What was set elsewhere is shown at once.
import { call, get, tell } from "./api.js"
import { toast } from "./dialogs.js"
import { $, $$, flag, later, page, put, show } from "./dom.js"
import { clock, plural, startOfToday } from "./format.js"
import { on } from "./live.js"

const { modes } = page.words
const button = $("#mode")
const dialog = $("#mode-dialog")
let { trading } = page
let turn = 0 // goes up with every question and every news, so that an older answer is not shown after them

function draw() {
  const { mode, since, by, reason } = trading
  const name = modes[mode]
  const who = by === "system" ? "a limit of loss" : by
  const now = `${name}${since ? ` since ${clock(since, startOfToday())}, set by ${who}` : ""}${reason ? `: ${reason}` : "."}`
  button.dataset.mode = mode
  put($(".word", button), name.toLowerCase())
  put($(".why", button), mode === "on" ? "" : reason)
  button.title = now
  show(dialog, { now })
  for (const choice of $$(".modes button", dialog)) {
    flag(choice, "aria-current", choice.value === mode ? "true" : null)
    flag(choice, "autofocus", choice.value === mode)
  }
}

const names = Object.keys(modes) // the stricter one comes later
const waits = n => `${plural(n, "signal")} ${n === 1 ? "waits" : "wait"}`

// What a mode would do to what waits: a stricter one than now takes hold of it, a laxer one changes nothing of it.
function effect(choice, { mode, waiting, held }) {
  if (choice === mode) return "In force now."
  if (names.indexOf(choice) < names.indexOf(mode)) return held ? `${waits(held)} for approval and still will.` : ""
  if (choice === "ask") return waiting ? `${waits(waiting)}: entries and reversals are held.` : ""
  if (!waiting && !held) return ""
  return `${waits(waiting + held)}: ${choice === "off" ? "all are canceled, exits too" : "entries are canceled, reversals cut to their exits"}.`
}

const cannot = ({ at_broker }) => at_broker ? `${plural(at_broker, "signal")} at the broker cannot be called back.` : "Nothing is at the broker."
const stricter = ({ tickers }) => Object.entries(tickers).map(([name, mode]) => `${name}: ${modes[mode].toLowerCase()}.`).join(" ")

function take(told) {
  turn += 1
  trading = { ...trading, ...told }
  draw()
}

const problem = trouble => tell($(".problem", dialog), trouble)

async function load() {
  const asked = ++turn
  try {
    const told = await get("/v3/trading")
    if (asked !== turn) return
    take(told)
    show(dialog, Object.fromEntries(names.map(choice => [choice, effect(choice, told)])))
    show(dialog, { broker: cannot(told), tickers: stricter(told) })
  } catch (trouble) { problem(trouble) }
}

async function set(mode) {
  const { reason } = $("form", dialog).elements
  try {
    const told = await call("PUT", "/v3/trading", { mode, reason: reason.value.trim() || null })
    take(told)
    dialog.close()
    const done = [told.canceled && `${told.canceled} canceled`, told.cut && `${told.cut} cut to the exit`, told.held && `${told.held} held`].filter(Boolean)
    toast(`Trading: ${modes[mode].toLowerCase()}.${done.length ? ` ${done.join(", ")}.` : ""} ${cannot(told)}`)
  } catch (trouble) { problem(trouble) }
}

function open() {
  $("form", dialog).reset()
  problem(null)
  dialog.showModal()
  load()
}

export function mountMode() {
  if (!button) return
  const again = later(() => { if (dialog.open) load() }, 300)
  button.addEventListener("click", open)
  $(".modes", dialog).addEventListener("click", ({ target }) => { const choice = target.closest("button"); if (choice) set(choice.value) })
  on("trading", ({ trading: told }) => { take(told); again() })
  on("signal", again)
  on("resync", load)
  draw()
}
