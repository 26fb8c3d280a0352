// Alerts from outside: their template and passphrases, and those that were rejected.
import { call, get, tell } from "./api.js"
import { confirm, copy, mountOnce, mountReveal, toast } from "./dialogs.js"
import { $, $$, clone, el, later, page, put, show } from "./dom.js"
import { exact, number } from "./format.js"
import { clear, needed, onSubmit, values } from "./forms.js"
import { on } from "./live.js"

// The first valid passphrase: alerts of the pages carry it as those of TradingView do.
export const passphrase = async () => (await get("/v3/template?reveal=1")).passphrase

// --- the template; the passphrase is masked until the reader asks for it ---

async function loadTemplate(revealed) {
  try {
    const { template, webhook_url } = await get(`/v3/template${revealed ? "?reveal=1" : ""}`)
    put($("#template-text"), template)
    put($("#webhook-url"), webhook_url)
    tell($("#template > .problem"), null)
  } catch (problem) { tell($("#template > .problem"), problem) }
}

// Copies the message with the real passphrase, because the webhook would refuse a masked one.
async function copyPart(source) {
  const node = document.getElementById(source)
  if (source !== "template-text") return copy(node.textContent, node, "The URL is copied.")
  try {
    copy((await get("/v3/template?reveal=1")).template, node, "The message is copied, with the passphrase in it.")
  } catch (problem) { tell($("#template > .problem"), problem) }
}

export function mountTemplate(section) {
  mountReveal($("#reveal"), "passphrase", loadTemplate)
  for (const one of $$("[data-copy]", section)) one.addEventListener("click", () => copyPart(one.dataset.copy))
  if (page.admin) mountPassphrases(section)
}

// --- passphrases (admins): made here, shown once, retired ---

const passphraseProblem = trouble => tell($("#passphrases-problem"), trouble)

function passphraseRow({ label, last_used, retired, origin }) {
  const tr = clone("passphrase-row")
  const fixed = origin === "settings"
  show(tr, {
    label: fixed ? label.replace("settings", "From the settings") : label,
    used: last_used ? exact(last_used) : "never", state: retired ? `Retired ${exact(retired)}` : "In use",
  })
  const button = $("button", tr)
  button.hidden = Boolean(retired) || fixed
  button.setAttribute("aria-label", `Retire passphrase ${label}`)
  button.addEventListener("click", () => retire(label))
  return tr
}

async function loadPassphrases() {
  try {
    $("#passphrases-table tbody").replaceChildren(...(await get("/v3/passphrases")).passphrases.map(passphraseRow))
    passphraseProblem(null)
  } catch (trouble) { passphraseProblem(trouble) }
}

async function retire(label) {
  if (!await confirm(`Retire passphrase ${label}?`, "Alerts that carry it are refused from now on.", "Retire passphrase")) return
  try {
    await call("DELETE", `/v3/passphrase/${encodeURIComponent(label)}`)
    toast(`Passphrase ${label} is retired.`)
    loadPassphrases()
  } catch (trouble) { passphraseProblem(trouble) }
}

async function savePassphrase(form, dialog, made) {
  const given = values(form)
  if (!given.passphrase) delete given.passphrase
  const { passphrase } = await call("POST", "/v3/passphrases", given)
  dialog.close()
  if (given.passphrase) toast(`Passphrase ${given.label} is saved.`)
  else made(passphrase)
  loadPassphrases()
}

function mountPassphrases(section) {
  const dialog = $("#passphrase-dialog")
  const form = $("form", dialog)
  const made = mountOnce("passphrase", "The passphrase is copied.")
  $("[data-act=add]", section).addEventListener("click", () => { form.reset(); clear(form); dialog.showModal() })
  $("[data-act=cancel]", form).addEventListener("click", () => dialog.close())
  onSubmit(form, () => needed(values(form), ["label"]), () => savePassphrase(form, dialog, made))
  loadPassphrases()
}

// --- rejected alerts: the reader sees the reason and its place, and corrects, resubmits or dismisses them ---

let section

const pretty = text => {
  try { return JSON.stringify(JSON.parse(text), null, 2) } catch { return text }
}

// Selects what a reason is about: the field's line, or the place where the text is no JSON.
function point(text, field, reason) {
  const [, line, column] = /line (\d+),? column (\d+)/.exec(reason) ?? []
  const lines = text.value.split("\n")
  const index = line ? line - 1 : lines.findIndex(each => each.includes(`"${field}"`))
  if (index < 0) {
    const end = text.value.lastIndexOf("}")
    text.setSelectionRange(end, end)
  } else {
    const start = lines.slice(0, index).join("\n").length + (index ? 1 : 0)
    text.setSelectionRange(start + (column ? column - 1 : 0), start + (lines[index]?.length ?? 0))
  }
  text.focus()
}

function reasonItem(item, field, reason) {
  const li = el("li", field ? `${field}: ${reason}` : reason)
  const text = $("textarea", item)
  if (!text.value) return li
  const there = text.value.includes(`"${field}"`) || /line \d+/.test(reason)
  const button = el("button", there ? "Show" : "Go to the end", { type: "button", className: "quiet" })
  button.setAttribute("aria-label", `${button.textContent}: ${li.textContent}`)
  button.addEventListener("click", () => point(text, field, reason))
  li.append(" ", button)
  return li
}

function showReasons(item, given) {
  const reasons = typeof given === "object" && given ? Object.entries(given) : [["", given || "No reason was kept."]]
  $(".reasons", item).replaceChildren(...reasons.map(([field, reason]) => reasonItem(item, field, String(reason))))
}

function card(alert) {
  const item = clone("rejected-card")
  item.dataset.id = alert.id
  show(item, { time: exact(alert.timestamp), from: `from ${alert.address}, ${number(alert.size)} bytes` })
  const kept = alert.body != null
  $("label", item).hidden = !kept
  $('[data-show="nobody"]', item).hidden = kept
  $("textarea", item).value = kept ? pretty(alert.body) : ""
  showReasons(item, alert.reasons)
  $("[data-act=resubmit]", item).hidden = !kept
  $("[data-act=dismiss]", item).hidden = !page.admin
  $("[data-act=resubmit]", item).addEventListener("click", () => resubmit(item, alert))
  $("[data-act=dismiss]", item).addEventListener("click", () => dismiss(item, alert))
  return item
}

function drop(item) {
  item.remove()
  countRejected()
  $(".empty-line", section).hidden = Boolean($(".cards > li", section))
}

async function resubmit(item, alert) {
  const place = $(":scope > .problem", item)
  const text = $("textarea", item)
  let body
  try { body = JSON.parse(text.value) } catch (error) {
    point(text, "", error.message)
    return tell(place, { message: `The text is not JSON yet: ${error.message}.` })
  }
  try {
    const { message, rowid } = await call("POST", `/v3/rejected/${alert.id}/resubmit`, body)
    drop(item)
    toast(`Resubmitted. ${message}`, `Open signal ${rowid}`, () => location.assign(`/dashboard?signal=${rowid}`))
  } catch (problem) {
    const faults = Object.keys(problem.fields).length > 0
    tell(place, faults ? { message: "Still refused, for the reasons above." } : problem)
    if (faults) showReasons(item, problem.fields)
  }
}

async function dismiss(item, alert) {
  if (!await confirm("Dismiss this alert?", `The alert of ${exact(alert.timestamp)} from ${alert.address} is deleted for good.`, "Dismiss alert")) return
  try {
    await call("DELETE", `/v3/rejected/${alert.id}`)
    drop(item)
  } catch (problem) { tell($(":scope > .problem", item), problem) }
}

// Cards that the reader is correcting stay as they are; the others are drawn again.
async function loadRejected() {
  const place = $(":scope > .problem", section)
  try {
    const { rejected } = await get("/v3/rejected/100")
    const old = new Map($$(".cards > li", section).map(item => [item.dataset.id, item]))
    $("#rejected-list").replaceChildren(...rejected.map(alert => old.get(String(alert.id)) ?? card(alert)))
    $(".empty-line", section).hidden = rejected.length > 0
    put($("#rejected-note"), rejected.length < 100 ? "" : "The list is not whole: these are the newest 100. Resubmit or dismiss some to see others.")
    tell(place, null)
  } catch (problem) { tell(place, problem) }
}

// Shows how many posts were refused and not stored. Only administrators see it.
async function countRefused() {
  const place = $("#refused-posts")
  if (!place) return
  try {
    const { since, address, passphrase } = await get("/v3/refused")
    const parts = [[address, "from an address that may not send alerts"], [passphrase, "beyond the limit of wrong passphrases"]]
    const told = parts.filter(([count]) => count).map(([count, why]) => `${number(count)} ${why}`)
    put(place, `Since ${exact(since)} the server also refused posts without keeping them: ${told.join(", ")}.`)
    place.hidden = !told.length
  } catch { /* the list shows what is wrong */ }
}

// The number of rejected alerts, beside the name of the section.
export async function countRejected() {
  try {
    const { count } = await get("/v3/rejected/count")
    put($("#rejected-count"), count > 99 ? "99+" : count)
    $("#rejected-count").hidden = count === 0
  } catch { /* the section shows what is wrong */ }
}

export function mountRejected(root) {
  section = root
  const shown = () => { loadRejected(); countRefused() }
  on("rejected", later(loadRejected, 300))
  on("resync", loadRejected)
  shown()
  return { shown }
}
