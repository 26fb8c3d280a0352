// Users, and their passwords, second factors, sessions and API tokens (admins).
import { browserOf, revoke, tokenWords, whoseEnd } from "./account.js"
import { call, get, tell } from "./api.js"
import { confirm, toast } from "./dialogs.js"
import { $, clone, page, put, show } from "./dom.js"
import { exact } from "./format.js"
import { clear, needed, onSubmit, values } from "./forms.js"

let section, dialog, form, chosen

const problem = trouble => tell($(":scope > .problem", section), trouble)
const path = name => encodeURIComponent(name)

async function attempt(act) {
  try { await act(); problem(null) } catch (trouble) { problem(trouble) }
}

function row({ username, admin }) {
  const tr = clone("user-row")
  tr.dataset.name = username
  show(tr, { username, admin: admin ? "Admin" : "" })
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

// A line below a user, with a button that ends a session, a token or the second factor.
function line(name, text, verb, label, act, again) {
  const tr = clone("session-row")
  const button = $("button", tr)
  show(tr, { text })
  tr.dataset.of = name
  if (!verb) {
    button.remove()
    return tr
  }
  put(button, verb)
  button.setAttribute("aria-label", label)
  button.addEventListener("click", () => attempt(() => act(again)))
  return tr
}

function sessionLine(session, name, again) {
  const seen = session.last_seen ? `, last seen ${exact(session.last_seen)} from ${session.address}` : ""
  const text = `${session.current ? "This session" : browserOf(session)} since ${exact(session.created)}, ends ${exact(session.expires)}${seen}`
  return line(name, text, "End session", `End session of ${name} from ${exact(session.created)}`, async () => {
    if (!await confirm(`End a session of ${name}?`, whoseEnd(session), "End session")) return
    await call("DELETE", `/v3/session/${path(session.id)}`)
    again()
  })
}

function factorLine({ since }, name, again) {
  const own = name === page.user
  return line(name, `Second factor on since ${exact(since)}`, own ? null : "Turn off", `Turn off the second factor of ${name}`, async () => {
    if (!await confirm(`Turn off the second factor of ${name}?`, "Their password alone then logs them in. Do so only if you know that it is they who ask.", "Turn off")) return
    await call("DELETE", `/v3/factor/of/${path(name)}`)
    again()
  })
}

const tokenLine = (token, name, again) =>
  line(name, tokenWords(token), "Revoke", `Revoke API token ${token.name} of ${name}`, () => revoke(token, again))

async function access(tr, open) {
  const name = tr.dataset.name
  for (const old of section.querySelectorAll(`[data-of="${CSS.escape(name)}"]`)) old.remove()
  $("[data-act=sessions]", tr).setAttribute("aria-expanded", open)
  if (!open) return
  await attempt(async () => {
    const [{ sessions }, { tokens }, { factors }] = await Promise.all([
      get(`/v3/sessions/${path(name)}`), get(`/v3/tokens/${path(name)}`), get("/v3/factors"),
    ])
    const again = () => access(tr, true)
    const lines = [
      ...factors.filter(factor => factor.username === name).map(factor => factorLine(factor, name, again)),
      ...sessions.map(session => sessionLine(session, name, again)),
      ...tokens.map(token => tokenLine(token, name, again)),
    ]
    if (!sessions.length) lines.push(line(name, "No open session."))
    tr.after(...lines)
  })
}

function click({ target }) {
  const tr = target.closest("tr[data-name]")
  if (!tr) return
  const acts = {
    sessions: () => access(tr, target.getAttribute("aria-expanded") !== "true"),
    password: () => edit(tr.dataset.name), delete: () => remove(tr.dataset.name),
  }
  acts[target.dataset.act]?.()
}

export function mount(root) {
  section = root
  dialog = $("#user-dialog")
  form = $("form", dialog)
  $("[data-act=add]", section).addEventListener("click", () => edit(null))
  $("[data-act=cancel]", form).addEventListener("click", () => dialog.close())
  $("tbody", section).addEventListener("click", click)
  onSubmit(form, () => needed(values(form), chosen ? ["password"] : ["username", "password"]), save)
  load()
  return { shown: load }
}
