// The open alarms, grouped by kind in the server's order: what is wrong, what to do, and who has acknowledged it. Loaded with the first alarm.
import { call, tell } from "./api.js"
import { clock, minutesSince, startOfToday } from "./clock.js"
import { $, $$, clone, flag, put, show } from "./dom.js"
import { number, plural, span } from "./format.js"

const section = $("#alarms")
const list = $(".kinds", section)
const all = $("[data-act=all]", section)

function link({ kind, subject }) {
  if (kind === "rejected") return "/setup#rejected"
  if (kind === "unhedged" && subject !== "more") return `/positions?pair=${encodeURIComponent(subject)}`
  if (kind === "unhedged" || kind === "expected") return "/positions"
  return /^\d+$/.test(subject) ? `/dashboard?signal=${subject}` : ""
}

function fill(item, alarm) {
  const { id, title, what, since, acknowledged, acknowledged_by } = alarm
  item.dataset.id = id
  flag(item, "data-seen", Boolean(acknowledged))
  const began = `since ${clock(since, startOfToday())}, ${span(minutesSince(since))}`
  show(item, { what, since: began, seen: acknowledged_by ? `seen by ${acknowledged_by}` : "" })
  const open = $("a", item)
  if (link(alarm)) open.href = link(alarm)
  open.hidden = !link(alarm)
  open.setAttribute("aria-label", `Open: ${what}`)
  const button = $("button", item)
  button.hidden = Boolean(acknowledged)
  button.setAttribute("aria-label", `Acknowledge: ${title}, ${what}`)
  return item
}

const count = alarms => alarms.reduce((sum, { subject, number: more }) => sum + (subject === "more" ? more : 1), 0)

function fillKind(group, alarms, rows) {
  const [{ kind, title, what, advice }] = alarms
  group.dataset.kind = kind
  show(group, { title, count: count(alarms) > 1 ? number(count(alarms)) : "", first: what, advice })
  $("ol", group).replaceChildren(...alarms.map(alarm => fill(rows.get(String(alarm.id)) ?? clone("alarm-row"), alarm)))
  return group
}

async function acknowledge(path, body, button) {
  button.disabled = true
  try {
    await call("POST", path, body)
    tell($(".problem", section), null)
  } catch (problem) { tell($(".problem", section), problem) }
  button.disabled = false
}

// The server tells the page that the alarms have changed, and the page draws the list again.
section.addEventListener("click", ({ target }) => {
  const { act } = target.dataset
  if (act === "all") acknowledge("/v3/alarms/acknowledge", { last: Math.max(...$$("[data-id]", list).map(item => item.dataset.id)) }, target)
  if (act === "seen") acknowledge(`/v3/alarm/${target.closest("li").dataset.id}/acknowledge`, {}, target)
})

export function draw(alarms) {
  flag($("#alarms-css"), "disabled", null)
  const rows = new Map($$("[data-id]", list).map(item => [item.dataset.id, item]))
  const groups = new Map($$(".kind", list).map(group => [group.dataset.kind, group]))
  const focused = list.contains(document.activeElement)
  const kinds = [...new Set(alarms.map(({ kind }) => kind))]
  const begun = !groups.size
  list.replaceChildren(...kinds.map(kind => fillKind(groups.get(kind) ?? clone("alarm-kind"), alarms.filter(each => each.kind === kind), rows)))
  if (begun) for (const first of $$("details", list).slice(0, 1)) first.open = true
  put($("h2", section), plural(count(alarms), "open alarm"))
  all.hidden = alarms.filter(({ acknowledged }) => !acknowledged).length < 2
  section.hidden = !alarms.length
  if (focused && !list.contains(document.activeElement)) (section.hidden ? $("#main") : list).focus()
}
