// Corrects a signal, or deletes it. Only what the reader changed is sent, so that a fill that has arrived since then is not undone.
import { call } from "./api.js"
import { confirm, toast } from "./dialogs.js"
import { $, page } from "./dom.js"
import { blame, clear, fillIn, needed, onSubmit, positive, values } from "./forms.js"
import { name } from "./status.js"

const dialog = $("#edit")
const form = $("form", dialog)
const numbers = ["order_contracts", "order_price", "stk_price1", "stk_price2"]
let stored = null

const blank = value => value === "" ? null : value ?? null

function changes() {
  const now = values(form, numbers)
  return Object.fromEntries(Object.entries(now).map(([field, value]) => [field, blank(value)]).filter(([field, value]) => value !== blank(stored[field])))
}

async function save() {
  const changed = changes()
  if (Object.keys(changed).length) await call("PUT", "/v3/webhook", { rowid: stored.rowid, ...changed })
  dialog.close()
  toast(Object.keys(changed).length ? `Signal ${stored.rowid} is saved.` : "Nothing was changed.")
}

async function remove() {
  const { rowid, order_action, order_contracts, order_status } = stored
  if (!await confirm(`Delete signal ${rowid}?`, `${name(stored)}, ${order_action} ${order_contracts}, ${order_status}. It cannot be brought back.`, "Delete signal")) return
  try {
    await call("DELETE", `/v3/signal/${rowid}`)
    dialog.close()
    toast(`Signal ${rowid} is deleted.`)
  } catch (problem) { blame(form, problem) }
}

onSubmit(form, () => ({ ...positive(values(form), ["order_contracts"]), ...needed(values(form), ["ticker", "order_contracts"]) }), save)
$("[data-act=cancel]", form).addEventListener("click", () => dialog.close())
$("[data-act=delete]", form).addEventListener("click", remove)

export function edit(signal) {
  stored = signal
  form.reset()
  clear(form)
  fillIn(form, signal)
  $("[data-act=delete]", form).hidden = !page.admin
  dialog.showModal()
}
