// Users and their sessions (admins), and one's own password (everybody).
import { call, get, tell } from "../api.js"
import { exact } from "../clock.js"
import { confirm, toast } from "../dialogs.js"
import { $, clone, put, show } from "../dom.js"
import { clear, needed, onSubmit, values } from "./forms.js"

let section, dialog, form, chosen

const problem = trouble => tell($(":scope > .problem", section), trouble)
const path = name => encodeURIComponent(name)

async function attempt(act) {
  try { await act(); problem(null) } catch (trouble) { problem(trouble) }
}

function row({ username }) {
  const tr = clone("user-row")
  tr.dataset.name = username
  show(tr, { username })
  for (const button of tr.querySelectorAll("button")) button.setAttribute("aria-label", `${button.textContent} of ${username}`)
  return tr
}

const load = () => attempt(async () => {
  $("#users-table tbody").replaceChildren(...(await get("/v3/users/0")).users.map(row))
})

function edit(username) {
  chosen = username
  form.reset()
  clear(form)
  form.elements.username.value = username ?? ""
  form.elements.username.disabled = Boolean(username)
  form.elements.admin.closest("label").hidden = Boolean(username)
  put($("h2", dialog), username ? `New password for ${username}` : "Add user")
  dialog.showModal()
}

async function save() {
  const given = values(form)
  if (chosen) await call("PUT", "/v3/reguser", { username: chosen, password: given.password })
  else await call("POST", "/v3/reguser", given)
  dialog.close()
  toast(chosen ? `The password of ${chosen} is changed; their other sessions ended.` : `User ${given.username} is added.`)
  load()
}

async function remove(name) {
  if (!await confirm(`Delete user ${name}?`, "Their sessions end at once.", "Delete user")) return
  await attempt(async () => {
    await call("DELETE", `/v3/user/${path(name)}`)
    toast(`User ${name} is deleted.`)
    await load()
  })
}

function sessionRow(session, name, again) {
  const tr = clone("session-row")
  const seen = session.last_seen ? `, last seen ${exact(session.last_seen)}` : ""
  show(tr, { text: `${session.current ? "This session" : "Session"} from ${exact(session.created)}, ends ${exact(session.expires)}${seen}` })
  tr.dataset.session = session.id
  $("button", tr).setAttribute("aria-label", `End session of ${name} from ${exact(session.created)}`)
  $("button", tr).addEventListener("click", async () => {
    if (!await confirm(`End a session of ${name}?`, session.current ? "It is the one you use now: you will be logged out." : "Whoever uses it must log in again.", "End session")) return
    await attempt(async () => {
      await call("DELETE", `/v3/session/${path(session.id)}`)
      again()
    })
  })
  return tr
}

async function sessions(tr, open) {
  const name = tr.dataset.name
  for (const old of section.querySelectorAll(`[data-of="${CSS.escape(name)}"]`)) old.remove()
  $("[data-act=sessions]", tr).setAttribute("aria-expanded", open)
  if (!open) return
  await attempt(async () => {
    const found = (await get(`/v3/sessions/${path(name)}`)).sessions
    const rows = found.map(session => sessionRow(session, name, () => sessions(tr, true)))
    if (!rows.length) {
      const none = clone("session-row")
      show(none, { text: "No open session." })
      $("button", none).remove()
      rows.push(none)
    }
    for (const one of rows) one.dataset.of = name
    tr.after(...rows)
  })
}

function click({ target }) {
  const tr = target.closest("tr[data-name]")
  if (!tr) return
  const acts = {
    sessions: () => sessions(tr, target.getAttribute("aria-expanded") !== "true"),
    password: () => edit(tr.dataset.name), delete: () => remove(tr.dataset.name),
  }
  acts[target.dataset.act]?.()
}

function ownPassword() {
  const own = $("#password-form")
  onSubmit(own, () => needed(values(own), ["old_password", "password"]), async () => {
    await call("PUT", "/v3/reguser", values(own))
    own.reset()
    toast("Your password is changed.")
  })
}

export function mount(root) {
  section = root
  ownPassword()
  if (!("admin" in document.body.dataset)) return
  dialog = $("#user-dialog")
  form = $("form", dialog)
  $("[data-act=add]", section).addEventListener("click", () => edit(null))
  $("[data-act=cancel]", form).addEventListener("click", () => dialog.close())
  $("tbody", section).addEventListener("click", click)
  onSubmit(form, () => needed(values(form), chosen ? ["password"] : ["username", "password"]), save)
  load()
  return { shown: load }
}
