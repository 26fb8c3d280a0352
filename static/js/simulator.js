// The webhook simulator: it sends an alert as TradingView would. A check tells what would become of it, and stores nothing.
import { passphrase } from "./alerts.js"
import { get, send } from "./api.js"
import { watch, willTrade } from "./bridge.js"
import { confirm } from "./dialogs.js"
import { $, el, page, put } from "./dom.js"
import { equation, number, plural } from "./format.js"
import { blame, clear, fault, needed, onSubmit, positive, values } from "./forms.js"
import { message, name } from "./status.js"

const numbers = ["order_contracts", "order_price", "mar_pos_size", "pre_mar_pos_size"]
const form = $("#simulator-form")
const { ticker, known, order_action, order_contracts } = form.elements
const waits = ["waiting", "rerouted"]

const alert = () => Object.fromEntries(Object.entries(values(form, numbers)).filter(([, value]) => value !== ""))
const check = () => ({ ...positive(alert(), ["order_contracts"]), ...needed(alert(), ["ticker", "order_contracts"]) })

// An entry from flat, as long as the reader does not write other positions.
function follow() {
  form.elements.mar_pos.value = order_action.value === "buy" ? "long" : "short"
  form.elements.mar_pos_size.value = order_contracts.value
  form.elements.pre_mar_pos.value = "flat"
  form.elements.pre_mar_pos_size.value = 0
}

function preview() {
  put($("#simulator-json"), `POST /v3/webhook\n${JSON.stringify({ ...alert(), passphrase: "•".repeat(8) }, null, 2)}`)
}

function next(text, href) {
  const link = $("#simulator-next a")
  $("#simulator-next").hidden = !text
  put(link, text)
  link.href = href ?? ""
}

function repeated(rowid, dry) {
  put($("#simulator-status"), `It repeats signal ${rowid}, by its alert id: nothing ${dry ? "would be" : "was"} stored.`)
  next(`Open signal ${rowid}`, `/dashboard?signal=${rowid}`)
}

// What the answer means, in words.
function told({ signal, warning }, dry) {
  const order = `${signal.order_action} ${number(signal.order_contracts)} ${name(signal)}`
  const waiting = waits.includes(signal.order_status)
  const becomes = dry ? "It would be stored" : "It is stored"
  const unknown = signal.status_msg === "unknown ticker"
  const words = waiting ? `${becomes} as a waiting signal: ${order}. ${willTrade()}`
    : `${becomes} as ${signal.order_status} and not traded. ${message(signal) || order}.`
  put($("#simulator-status"), [words, warning].filter(Boolean).join(" "))
  if (dry) next(unknown && `Register ${name(signal)}`, `/setup?register=${encodeURIComponent(ticker.value)}#registry`)
  else next(`Open signal ${signal.rowid}`, `/dashboard?signal=${signal.rowid}`)
}

function refused({ response, answer }, dry) {
  const said = answer?.message
  const kept = response.status < 429 ? `${dry ? "and would be kept" : "and is kept"} under Rejected alerts` : "and not kept"
  put($("#simulator-status"), `Answered ${response.status}: the alert is refused, ${kept}.`)
  next("")
  blame(form, typeof said === "object" ? { fields: said, message: "Correct the marked fields." } : { message: said ?? "The server refused the alert." })
}

// Sends the alert, and says what the answer means.
async function post(dry) {
  const body = alert()
  body.passphrase ??= await passphrase()
  const done = await send("POST", `/v3/webhook${dry ? "?dry=1" : ""}`, body)
  $("#simulator-record").hidden = false
  put($("#simulator-answer"), JSON.stringify(done.answer, null, 2))
  const { response: { ok, status }, answer } = done
  if (!ok) refused(done, dry)
  else if (dry ? answer.rowid : status === 200) repeated(answer.rowid, dry)
  else told(dry ? answer : { signal: await get(`/v3/signal/${answer.rowid}`), warning: answer.warning }, dry)
}

async function submit() {
  const order = `${order_action.value} ${plural(+order_contracts.value, "contract")} of ${ticker.value}.`
  if (page.mode === "production" && !await confirm("Send a real alert?", `${order} ${willTrade()}`, "Send alert")) return
  await post(false)
}

async function dry() {
  const faults = check()
  if (Object.keys(faults).length) return blame(form, fault(faults))
  clear(form)
  try {
    await post(true)
  } catch (problem) { blame(form, problem) }
}

async function suggest() {
  try {
    const [{ pairs }, { tickers }] = await Promise.all([get("/v3/pairs/500"), get("/v3/tickers/500")])
    const active = [...pairs.filter(pair => pair.status).map(equation), ...tickers.filter(each => each.active).map(each => each.symbol)]
    known.replaceChildren(known.options[0], ...active.map(value => el("option", value)))
    if (!ticker.value && active.length) ticker.value = known.value = active[0]
    preview()
  } catch { /* there are no suggestions then */ }
}

export function mount() {
  known.addEventListener("input", () => { if (known.value) ticker.value = known.value })
  ticker.addEventListener("input", () => { known.value = [...known.options].some(each => each.value === ticker.value) ? ticker.value : "" })
  for (const field of [order_action, order_contracts]) field.addEventListener("input", follow)
  form.addEventListener("input", preview)
  onSubmit(form, check, submit)
  $("#simulator-check").addEventListener("click", dry)
  watch(() => put($("#simulator-bridge"), willTrade()))
  preview()
  suggest()
  return { shown: suggest }
}
