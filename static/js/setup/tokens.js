// API tokens for programs: they are made here, shown once, and revoked.
import { call, get, tell } from "../api.js"
import { exact } from "../clock.js"
import { confirm, toast } from "../dialogs.js"
import { $, clone, put, show } from "../dom.js"
import { copy } from "./copy.js"
import { clear, needed, onSubmit, values } from "./forms.js"

const problem = trouble => tell($("#tokens-problem"), trouble)
const text = $("#token-text")
const moment = (time, none) => time ? exact(time) : none

export const tokenWords = ({ name, scope, last_used }) => `API token ${name} (${scope}), last used ${moment(last_used, "never")}`

export async function revoke({ id, name }, again) {
  if (!await confirm(`Revoke API token ${name}?`, "Whatever program uses it is refused from now on.", "Revoke token")) return
  await call("DELETE", `/v3/token/${id}`)
  toast(`API token ${name} is revoked.`)
  again()
}

function row(token) {
  const tr = clone("token-row")
  const { name, scope, created, last_used, expires } = token
  tr.dataset.name = name
  show(tr, { name, scope, created: exact(created), used: moment(last_used, "never"), expires: moment(expires, "when revoked") })
  const button = $("button", tr)
  button.setAttribute("aria-label", `Revoke API token ${name}`)
  button.addEventListener("click", () => revoke(token, load).catch(problem))
  return tr
}

async function load() {
  try {
    const { tokens } = await get("/v3/tokens")
    $("#tokens-table tbody").replaceChildren(...tokens.map(row))
    $("#tokens-table").hidden = !tokens.length
    $("#tokens-none").hidden = tokens.length > 0
    problem(null)
  } catch (trouble) { problem(trouble) }
}

function made(token) {
  put(text, token)
  $("#token-made").hidden = !token
  if (token) text.focus()
}

export function mountTokens() {
  const dialog = $("#token-dialog")
  const form = $("form", dialog)
  $("#token-add").addEventListener("click", () => { form.reset(); clear(form); dialog.showModal() })
  $("[data-act=cancel]", form).addEventListener("click", () => dialog.close())
  $("#token-copy").addEventListener("click", () => copy(text.textContent, text, "The token is copied."))
  $("#token-kept").addEventListener("click", () => made(""))
  onSubmit(form, () => needed(values(form), ["name"]), async () => {
    const { token } = await call("POST", "/v3/tokens", values(form))
    dialog.close()
    made(token)
    load()
  })
  return load
}
