// The open alarms: one line with the gravest, and a drawer with all, grouped by kind, and with the log of closed ones.
import { call, get, tell } from "./api.js"
import { $, $$, clone, el, flag, later, page, put, show } from "./dom.js"
import { clock, minutesSince, number, plural, span, startOfToday } from "./format.js"
import { tellTab } from "./frame.js"
import { on } from "./live.js"

const section = $("#alarms")
const line = $("#alarms-line")
const drawer = $("#alarms-drawer")

const count = alarms => alarms.reduce((sum, { subject, number: more }) => sum + (subject === "more" ? more : 1), 0)
const since = ({ since }) => `since ${clock(since, startOfToday())}, ${span(minutesSince(since))}`

function item(alarm) {
  const { id, title, what, acknowledged, acknowledged_by } = alarm
  const node = clone("alarm-row")
  node.dataset.id = id
  flag(node, "data-seen", Boolean(acknowledged))
  show(node, { what, since: since(alarm), seen: acknowledged_by ? `seen by ${acknowledged_by}` : "" })
  const open = $("a", node)
  open.href = alarm.page
  open.hidden = !alarm.page
  open.setAttribute("aria-label", `Open: ${what}`)
  const button = $("button", node)
  button.hidden = Boolean(acknowledged)
  button.setAttribute("aria-label", `Acknowledge: ${title}, ${what}`)
  return node
}

function group(alarms) {
  const [{ kind, title, advice }] = alarms
  const node = clone("alarm-kind")
  node.dataset.kind = kind
  show(node, { title, count: count(alarms) > 1 ? number(count(alarms)) : "", advice })
  $("ol", node).replaceChildren(...alarms.map(item))
  return node
}

function draw(alarms) {
  const kinds = [...new Set(alarms.map(({ kind }) => kind))]
  const [gravest] = alarms
  section.hidden = !gravest
  tellTab({ alarms: count(alarms) })
  if (!gravest) return toggle(false)
  const focused = document.activeElement.closest?.("#alarms-drawer li")?.dataset.id
  const unseen = alarms.filter(({ acknowledged }) => !acknowledged)
  flag(section, "data-seen", !unseen.length)
  show(line, { title: gravest.title, what: gravest.what, more: count(alarms) > 1 ? `+${number(count(alarms) - 1)}` : "" })
  line.setAttribute("aria-label", `${plural(count(alarms), "open alarm")}: ${gravest.title}, ${gravest.what}`)
  put($("h2", drawer), plural(count(alarms), "open alarm"))
  $("[data-act=all]", drawer).hidden = unseen.length < 2
  $(".kinds", drawer).replaceChildren(...kinds.map(kind => group(alarms.filter(each => each.kind === kind))))
  if (focused && !drawer.hidden) ($(`[data-id="${focused}"] :is(a, button):not([hidden])`, drawer) ?? $(".kinds", drawer)).focus()
}

function toggle(open) {
  drawer.hidden = !open
  line.setAttribute("aria-expanded", open)
}

async function attempt(work, button) {
  button.disabled = true
  try {
    await work()
    tell($(".problem", drawer), null)
  } catch (problem) { tell($(".problem", drawer), problem) }
  button.disabled = false
}

async function showLog(button) {
  const log = $(".log", drawer)
  const open = log.hidden
  if (open) {
    const { alarms } = await get("/v3/alarms?all=1")
    const closed = alarms.filter(each => each.closed)
    log.replaceChildren(...closed.map(each => el("li", `${clock(each.since, startOfToday())} to ${clock(each.closed, startOfToday())} · ${each.title}: ${each.what}`)))
    if (!closed.length) log.append(el("li", "No alarm has ended yet."))
  }
  log.hidden = !open
  put(button, open ? "Hide closed ones" : "Show closed ones")
}

// The server tells the page that the alarms have changed, and the page asks for them.
const ask = later(async () => {
  try { draw((await get("/v3/alarms")).alarms) } catch { /* the light shows that the server is away; the page asks again when it is back */ }
}, 100)

export function mountAlarms() {
  if (!section) return
  line.addEventListener("click", () => toggle(drawer.hidden))
  section.addEventListener("keydown", event => {
    if (event.key !== "Escape" || drawer.hidden) return
    event.stopPropagation()
    toggle(false)
    line.focus()
  })
  drawer.addEventListener("click", ({ target }) => {
    const { act } = target.dataset
    if (target.closest("a")) toggle(false) // what it opens lies below the drawer
    if (act === "all") attempt(() => call("POST", "/v3/alarms/acknowledge", { last: Math.max(...$$("[data-id]", drawer).map(each => each.dataset.id)) }), target)
    if (act === "seen") attempt(() => call("POST", `/v3/alarm/${target.closest("li").dataset.id}/acknowledge`, {}), target)
    if (act === "log") attempt(() => showLog(target), target)
    if (act === "close") toggle(false)
  })
  for (const topic of ["hello", "alarms"]) on(topic, ask)
  draw(page.alarms)
}
