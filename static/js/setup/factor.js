// The second factor. The user begins with the password and confirms with a code; to turn it off, both are needed.
import { call, get, tell } from "../api.js"
import { exact } from "../clock.js"
import { toast } from "../dialogs.js"
import { $, put } from "../dom.js"
import { plural } from "../format.js"
import { copy } from "./copy.js"
import { blame, clear, fault, needed, onSubmit, values } from "./forms.js"

const begin = $("#factor-begin")
const confirm = $("#factor-confirm")
const off = $("#factor-off")
const list = $("#factor-list")

function step({ pending = false, codes = null, since = null, left = 0 }) {
  begin.hidden = pending || Boolean(since)
  $("#factor-pending").hidden = !pending
  off.hidden = !since || Boolean(codes)
  $("#factor-codes").hidden = !codes
  put(list, codes?.join("\n"))
  put($("#factor-state"), since
    ? `On since ${exact(since)}. You have ${plural(left, "recovery code")} left.`
    : "Off. A second factor is a code of an authenticator app that is asked for after your password.")
  if (!pending) {
    $("#factor-qr").removeAttribute("src")
    put($("#factor-secret"), "")
  }
}

async function load(codes = null) {
  try {
    const { since, recovery_codes } = await get("/v3/factor")
    step({ since, left: recovery_codes, codes })
    tell($("#factor-problem"), null)
  } catch (problem) { tell($("#factor-problem"), problem) }
}

async function start() {
  const { secret, qr } = await call("POST", "/v3/factor", values(begin))
  begin.reset()
  confirm.reset()
  clear(confirm)
  step({ pending: true })
  $("#factor-qr").src = qr
  put($("#factor-secret"), secret.replace(/.{4}(?=.)/g, "$& "))
  confirm.elements.code.focus()
}

async function proven(path) {
  const answer = await call("POST", path, values(off))
  off.reset()
  return answer
}

const unproven = () => needed(values(off), ["password", "code"])

async function renew() {
  const faults = unproven()
  if (Object.keys(faults).length) return blame(off, fault(faults))
  clear(off)
  try {
    const { recovery_codes } = await proven("/v3/factor/codes")
    await load(recovery_codes)
    list.focus()
  } catch (problem) { blame(off, problem) }
}

export function mountFactor(turnedOn) {
  onSubmit(begin, () => needed(values(begin), ["password"]), start)
  onSubmit(confirm, () => needed(values(confirm), ["code"]), async () => {
    const { recovery_codes } = await call("PUT", "/v3/factor", values(confirm))
    await load(recovery_codes)
    turnedOn()
    toast("The second factor is on. Keep the recovery codes.")
  })
  onSubmit(off, unproven, async () => {
    await proven("/v3/factor/off")
    await load()
    toast("The second factor is off.")
  })
  $("[data-act=cancel]", confirm).addEventListener("click", () => load())
  $("[data-act=codes]", off).addEventListener("click", renew)
  $("#factor-copy").addEventListener("click", () => copy(list.textContent, list, "The recovery codes are copied."))
  $("#factor-kept").addEventListener("click", () => load())
  // When the reader comes back to the section, the QR code and the recovery codes must still be there.
  return () => { if ($("#factor-pending").hidden && $("#factor-codes").hidden) load() }
}
