// The user's own account: password, second factor, API tokens and sessions.
import { call, get, tell } from "./api.js"
import { confirm, copy, mountOnce, toast } from "./dialogs.js"
import { $, clone, put, show } from "./dom.js"
import { exact, plural } from "./format.js"
import { blame, clear, fault, needed, onSubmit, values } from "./forms.js"

const moment = (time, none) => time ? exact(time) : none

function mountPassword() {
  const form = $("#password-form")
  onSubmit(form, () => needed(values(form), ["old_password", "password"]), async () => {
    await call("PUT", "/v3/reguser", values(form))
    form.reset()
    toast("Your password is changed. Your other sessions have ended.")
    loadSessions()
  })
}

// --- the second factor: begun with the password, confirmed with a code; to turn it off, both are needed ---

function step({ pending = false, codes = null, since = null, left = 0 }) {
  $("#factor-begin").hidden = pending || Boolean(since)
  $("#factor-pending").hidden = !pending
  $("#factor-off").hidden = !since || Boolean(codes)
  $("#factor-codes").hidden = !codes
  put($("#factor-list"), codes?.join("\n"))
  put($("#factor-state"), since
    ? `On since ${exact(since)}. You have ${plural(left, "recovery code")} left.`
    : "Off. A second factor is a code of an authenticator app that is asked for after your password.")
  if (pending) return
  $("#factor-qr").removeAttribute("src")
  put($("#factor-secret"), "")
}

async function loadFactor(codes = null) {
  try {
    const { since, recovery_codes } = await get("/v3/factor")
    step({ since, left: recovery_codes, codes })
    tell($("#factor-problem"), null)
  } catch (problem) { tell($("#factor-problem"), problem) }
}

async function begin(form, confirmation) {
  const { secret, qr } = await call("POST", "/v3/factor", values(form))
  form.reset()
  confirmation.reset()
  clear(confirmation)
  step({ pending: true })
  $("#factor-qr").src = qr
  put($("#factor-secret"), secret.replace(/.{4}(?=.)/g, "$& "))
  confirmation.elements.code.focus()
}

async function proven(form, path) {
  const answer = await call("POST", path, values(form))
  form.reset()
  return answer
}

async function renew(form, unproven) {
  const faults = unproven()
  if (Object.keys(faults).length) return blame(form, fault(faults))
  clear(form)
  try {
    const { recovery_codes } = await proven(form, "/v3/factor/codes")
    await loadFactor(recovery_codes)
    $("#factor-list").focus()
  } catch (problem) { blame(form, problem) }
}

function mountFactor() {
  const [start, confirmation, off] = ["begin", "confirm", "off"].map(name => $(`#factor-${name}`))
  const list = $("#factor-list")
  const unproven = () => needed(values(off), ["password", "code"])
  onSubmit(start, () => needed(values(start), ["password"]), () => begin(start, confirmation))
  onSubmit(confirmation, () => needed(values(confirmation), ["code"]), async () => {
    const { recovery_codes } = await call("PUT", "/v3/factor", values(confirmation))
    await loadFactor(recovery_codes)
    list.focus()
    loadSessions()
    toast("The second factor is on. Keep the recovery codes.")
  })
  onSubmit(off, unproven, async () => {
    await proven(off, "/v3/factor/off")
    await loadFactor()
    toast("The second factor is off.")
  })
  $("[data-act=cancel]", confirmation).addEventListener("click", () => loadFactor())
  $("[data-act=codes]", off).addEventListener("click", () => renew(off, unproven))
  $("#factor-copy").addEventListener("click", () => copy(list.textContent, list, "The recovery codes are copied."))
  $("#factor-kept").addEventListener("click", () => loadFactor())
}

// --- API tokens: made here, shown once, revoked ---

export const tokenWords = ({ name, scope, last_used }) => `API token ${name} (${scope}), last used ${moment(last_used, "never")}`

export async function revoke({ id, name }, again) {
  if (!await confirm(`Revoke API token ${name}?`, "Whatever program uses it is refused from now on.", "Revoke token")) return
  await call("DELETE", `/v3/token/${id}`)
  toast(`API token ${name} is revoked.`)
  again()
}

function tokenRow(token) {
  const tr = clone("token-row")
  const { name, scope, created, last_used, expires } = token
  tr.dataset.name = name
  show(tr, { name, scope, created: exact(created), used: moment(last_used, "never"), expires: moment(expires, "when revoked") })
  const button = $("button", tr)
  button.setAttribute("aria-label", `Revoke API token ${name}`)
  button.addEventListener("click", () => revoke(token, loadTokens).catch(trouble => tell($("#tokens-problem"), trouble)))
  return tr
}

async function loadTokens() {
  try {
    const { tokens } = await get("/v3/tokens")
    $("#tokens-table tbody").replaceChildren(...tokens.map(tokenRow))
    $("#tokens-table").hidden = !tokens.length
    $("#tokens-none").hidden = tokens.length > 0
    tell($("#tokens-problem"), null)
  } catch (trouble) { tell($("#tokens-problem"), trouble) }
}

function mountTokens() {
  const dialog = $("#token-dialog")
  const form = $("form", dialog)
  const made = mountOnce("token", "The token is copied.")
  $("#token-add").addEventListener("click", () => { form.reset(); clear(form); dialog.showModal() })
  $("[data-act=cancel]", form).addEventListener("click", () => dialog.close())
  onSubmit(form, () => needed(values(form), ["name"]), async () => {
    const { token } = await call("POST", "/v3/tokens", values(form))
    dialog.close()
    made(token)
    loadTokens()
  })
}

// --- sessions: ended one by one, or all others at once ---

export const browserOf = ({ browser }) => browser || "Unknown program"
export const whoseEnd = ({ current }) => current ? "It is the one you use now: you will be logged out." : "Whoever uses it must log in again."

async function end(session) {
  if (!await confirm(`End the session of ${browserOf(session)}?`, whoseEnd(session), "End session")) return
  try {
    await call("DELETE", `/v3/session/${encodeURIComponent(session.id)}`)
    loadSessions()
  } catch (trouble) { tell($("#sessions-problem"), trouble) }
}

function sessionRow(session) {
  const { address, created, last_seen, current } = session
  const tr = clone("own-session-row")
  tr.dataset.session = session.id
  show(tr, { browser: browserOf(session), current: current ? "this session" : "", address, created: exact(created), seen: moment(last_seen, "never") })
  const button = $("button", tr)
  button.setAttribute("aria-label", `End the session of ${browserOf(session)} since ${exact(created)}`)
  button.addEventListener("click", () => end(session))
  return tr
}

async function loadSessions() {
  try {
    const { sessions } = await get("/v3/sessions")
    $("#sessions-table tbody").replaceChildren(...sessions.map(sessionRow))
    $("#sessions-end").hidden = sessions.length < 2
    tell($("#sessions-problem"), null)
  } catch (trouble) { tell($("#sessions-problem"), trouble) }
}

async function endOthers() {
  if (!await confirm("End all other sessions?", "Whoever uses them must log in again.", "End sessions")) return
  try {
    const { ended } = await call("DELETE", "/v3/sessions")
    toast(`${plural(ended, "session")} ended.`)
    loadSessions()
  } catch (trouble) { tell($("#sessions-problem"), trouble) }
}

export function mount() {
  mountPassword()
  mountFactor()
  mountTokens()
  $("#sessions-end").addEventListener("click", endOthers)
  const shown = () => {
    loadSessions()
    loadTokens()
    // When the reader comes back to the section, the QR code and the recovery codes must still be there.
    if ($("#factor-pending").hidden && $("#factor-codes").hidden) loadFactor()
  }
  shown()
  return { shown }
}
