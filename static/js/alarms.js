// The open alarms: what is wrong, what to do about it, and who has seen it. Loaded when there is one.
import { call, tell } from "./api.js"
import { clock, startOfToday } from "./clock.js"
import { $, $$, clone, flag, put, show } from "./dom.js"
import { plural } from "./format.js"

const section = $("#alarms")
const list = $("ol", section)
const all = $("[data-act=all]", section)

function link({ kind, subject }) {
  if (kind === "rejected") return "/setup#rejected"
  return kind === "bridge" ? "" : `/dashboard?signal=${subject}`
}

function fill(item, alarm) {
  const { id, title, what, advice, since, acknowledged, acknowledged_by } = alarm
  item.dataset.id = id
  flag(item, "data-seen", Boolean(acknowledged))
  show(item, { title, what, advice, since: `since ${clock(since, startOfToday())}`, seen: acknowledged_by ? `seen by ${acknowledged_by}` : "" })
  const open = $("a", item)
  if (link(alarm)) open.href = link(alarm)
  open.hidden = !link(alarm)
  open.setAttribute("aria-label", `Open: ${what}`)
  const button = $("button", item)
  button.hidden = Boolean(acknowledged)
  button.setAttribute("aria-label", `Acknowledge: ${title}, ${what}`)
  return item
}

async function acknowledge(path, body, button) {
  button.disabled = true
  try {
    await call("POST", path, body)
    tell($(".problem", section), null)
  } catch (problem) { tell($(".problem", section), problem) }
  button.disabled = false
}

// The server says that they have changed, and the list is drawn anew.
section.addEventListener("click", ({ target }) => {
  const { act } = target.dataset
  if (act === "all") acknowledge("/v3/alarms/acknowledge", { last: Math.max(...$$("li", list).map(item => item.dataset.id)) }, target)
  if (act === "seen") acknowledge(`/v3/alarm/${target.closest("li").dataset.id}/acknowledge`, {}, target)
})

export function draw(alarms) {
  flag($("#alarms-css"), "disabled", null)
  const old = new Map($$("li", list).map(item => [item.dataset.id, item]))
  const focused = list.contains(document.activeElement)
  list.replaceChildren(...alarms.map(alarm => fill(old.get(String(alarm.id)) ?? clone("alarm-row"), alarm)))
  put($("h2", section), plural(alarms.length, "open alarm"))
  all.hidden = alarms.filter(({ acknowledged }) => !acknowledged).length < 2
  section.hidden = !alarms.length
  if (focused && !list.contains(document.activeElement)) (section.hidden ? $("#main") : list).focus()
}
