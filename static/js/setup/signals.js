// Corrects or deletes a signal.
import { call, get, Problem } from "../api.js"
import { confirm, toast } from "../dialogs.js"
import { $, put } from "../dom.js"
import { blame, clear, fillIn, needed, onSubmit, positive, values } from "./forms.js"

const find = $("#signal-find")
const form = $("#signal-form")
const numbers = ["order_contracts", "order_price", "mar_pos_size", "pre_mar_pos_size", "order_id1", "order_id2", "stk_price1", "stk_price2", "fill_price", "slip"]
let stored = null

const say = signal => `Signal ${signal.rowid}, ${signal.ticker}`

async function open(rowid) {
  form.hidden = true
  stored = await get(`/v3/signal/${encodeURIComponent(rowid)}`).catch(problem => {
    throw problem.status === 404 ? new Problem(404, `There is no signal in row ${rowid}.`) : problem
  })
  form.reset()
  clear(form)
  fillIn(form, stored)
  put($("#signal-name"), `${say(stored)}, received ${stored.timestamp} UTC`)
  form.hidden = false
}

// Only the fields that the reader changed are sent, so that a fill that has arrived since then is not undone.
function changes() {
  const now = values(form, numbers)
  return Object.fromEntries(Object.entries(now)
    .map(([name, value]) => [name, value === "" ? null : value])
    .filter(([name, value]) => name === "bypass_ticker_status" ? value : value !== (stored[name] === "" ? null : stored[name] ?? null)))
}

async function save() {
  const changed = changes()
  if (!Object.keys(changed).some(name => name !== "bypass_ticker_status")) return toast("Nothing was changed.")
  await call("PUT", "/v3/webhook", { rowid: stored.rowid, ...changed })
  await open(stored.rowid)
  toast(`${say(stored)} is saved.`)
}

async function remove() {
  if (!await confirm(`Delete signal ${stored.rowid}?`, `${stored.ticker}, ${stored.order_action} ${stored.order_contracts}, ${stored.order_status}. It cannot be brought back.`, "Delete signal")) return
  try {
    await call("DELETE", `/v3/signal/${stored.rowid}`)
    form.hidden = true
    find.reset()
    toast(`${say(stored)} is deleted.`)
  } catch (problem) { blame(form, problem) }
}

function fromUrl() {
  const rowid = new URLSearchParams(location.search).get("signal")
  if (!rowid || find.elements.rowid.value === rowid) return
  find.elements.rowid.value = rowid
  open(rowid).catch(problem => blame(find, problem))
}

export function mount() {
  const wanted = () => find.elements.rowid.value.trim()
  onSubmit(find, () => /^\d+$/.test(wanted()) ? {} : { rowid: "Enter the number of a row." }, () => open(wanted()))
  onSubmit(form, () => ({ ...positive(values(form), ["order_contracts"]), ...needed(values(form), ["ticker", "order_contracts", "order_status"]) }), save)
  $("[data-act=delete]", form).addEventListener("click", remove)
  fromUrl()
  return { shown: fromUrl }
}
