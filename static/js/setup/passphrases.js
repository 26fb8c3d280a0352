// The passphrases that alerts may carry (admins): they are made here, shown once, and retired.
import { call, get, tell } from "../api.js"
import { exact } from "../clock.js"
import { confirm, toast } from "../dialogs.js"
import { $, clone, put, show } from "../dom.js"
import { clear, needed, onSubmit, values } from "./forms.js"

const problem = trouble => tell($("#passphrases-problem"), trouble)

function row({ label, last_used, retired, origin }) {
  const tr = clone("passphrase-row")
  const fixed = origin === "settings"
  show(tr, { label: fixed ? label.replace("settings", "From the settings") : label, used: last_used ? exact(last_used) : "never" })
  put($('[data-show="state"]', tr), retired ? `Retired ${exact(retired)}` : "In use")
  const button = $("button", tr)
  button.hidden = Boolean(retired) || fixed
  button.setAttribute("aria-label", `Retire passphrase ${label}`)
  button.addEventListener("click", () => retire(label))
  return tr
}

async function load() {
  try {
    $("#passphrases-table tbody").replaceChildren(...(await get("/v3/passphrases")).passphrases.map(row))
    problem(null)
  } catch (trouble) { problem(trouble) }
}

async function retire(label) {
  if (!await confirm(`Retire passphrase ${label}?`, "Alerts that carry it are refused from now on.", "Retire passphrase")) return
  try {
    await call("DELETE", `/v3/passphrase/${encodeURIComponent(label)}`)
    toast(`Passphrase ${label} is retired.`)
    load()
  } catch (trouble) { problem(trouble) }
}

async function save(form, dialog) {
  const given = values(form)
  if (!given.passphrase) delete given.passphrase
  const { passphrase } = await call("POST", "/v3/passphrases", given)
  dialog.close()
  if (given.passphrase) toast(`Passphrase ${given.label} is saved.`)
  else toast(`Passphrase ${given.label} is ${passphrase}`, "Close", null, Infinity)
  load()
}

export function mountPassphrases(section) {
  const dialog = $("#passphrase-dialog")
  const form = $("form", dialog)
  $("[data-act=add]", section).addEventListener("click", () => { form.reset(); clear(form); dialog.showModal() })
  $("[data-act=cancel]", form).addEventListener("click", () => dialog.close())
  onSubmit(form, () => needed(values(form), ["label"]), () => save(form, dialog))
  load()
}
