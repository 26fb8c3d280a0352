// The webhook simulator: it makes JSON from a form, sends it as TradingView would, and shows the answer.
import { get, send } from "../api.js"
import { $, el, put } from "../dom.js"
import { blame, needed, onSubmit, positive, values } from "./forms.js"

const numbers = ["order_contracts", "order_price", "mar_pos_size", "pre_mar_pos_size"]
const form = $("#simulator-form")

function alert() {
  return Object.fromEntries(Object.entries(values(form, numbers)).filter(([, value]) => value !== ""))
}

function preview() {
  const body = alert()
  if (body.passphrase) body.passphrase = "•".repeat(8)
  put($("#simulator-json"), `POST /v3/webhook\n${JSON.stringify(body, null, 2)}`)
}

function answered({ response, answer }) {
  put($("#simulator-status"), `Answered ${response.status}${response.ok ? ": the alert was taken." : ": the alert was refused."}`)
  const place = $("#simulator-answer")
  place.hidden = false
  put(place, JSON.stringify(answer, null, 2))
  const link = $("#simulator-link")
  link.hidden = !answer?.rowid
  if (answer?.rowid) {
    link.href = `/dashboard?signal=${answer.rowid}`
    put(link, `Open signal ${answer.rowid}`)
  }
}

async function submit() {
  const done = await send("POST", "/v3/webhook", alert())
  answered(done)
  const said = done.answer?.message
  if (!done.response.ok) blame(form, typeof said === "object" ? { fields: said, message: "Correct the marked fields." } : { message: said ?? "The server refused the alert." })
}

async function suggest() {
  try {
    const [{ pairs }, { stocks }] = await Promise.all([get("/v3/pairs/0"), get("/v3/stocks/0")])
    const known = [...pairs.map(pair => `${pair.ticker1}-${pair.hedge}*${pair.ticker2}`), ...stocks.map(stock => stock.symbol)]
    $("#known").replaceChildren(...known.slice(0, 500).map(value => el("option", "", { value })))
  } catch { /* there are no suggestions then */ }
}

export function mount() {
  form.addEventListener("input", preview)
  onSubmit(form, () => ({ ...positive(alert(), ["order_contracts"]), ...needed(alert(), ["passphrase", "ticker", "order_contracts"]) }), submit)
  preview()
  suggest()
  return { shown: suggest }
}
