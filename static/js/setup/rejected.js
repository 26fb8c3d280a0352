// Rejected alerts: the reader sees the reason, and corrects, resubmits or dismisses them.
import { call, get, tell } from "../api.js"
import { exact } from "../clock.js"
import { confirm, toast } from "../dialogs.js"
import { $, clone, el, later, put, show } from "../dom.js"
import { number } from "../format.js"
import { on } from "../live.js"
import { countRejected } from "./badge.js"

let section

function reasons(given) {
  const list = typeof given === "object" && given ? Object.entries(given).map(([field, reason]) => `${field}: ${reason}`) : [given || "No reason was kept."]
  return list.map(text => el("li", text))
}

const pretty = text => {
  try { return JSON.stringify(JSON.parse(text), null, 2) } catch { return text }
}

function card(alert) {
  const item = clone("rejected-card")
  item.dataset.id = alert.id
  show(item, { time: exact(alert.timestamp), from: `from ${alert.address}, ${number(alert.size)} bytes` })
  $(".reasons", item).replaceChildren(...reasons(alert.reasons))
  const kept = alert.body != null
  $("label", item).hidden = !kept
  $('[data-show="nobody"]', item).hidden = kept
  $("textarea", item).value = kept ? pretty(alert.body) : ""
  $("[data-act=resubmit]", item).hidden = !kept
  $("[data-act=dismiss]", item).hidden = !("admin" in document.body.dataset)
  $("[data-act=resubmit]", item).addEventListener("click", () => resubmit(item, alert))
  $("[data-act=dismiss]", item).addEventListener("click", () => dismiss(item, alert))
  return item
}

function drop(item) {
  item.remove()
  const left = section.querySelectorAll(".cards > li").length
  countRejected()
  $(".empty-line", section).hidden = left > 0
}

async function resubmit(item, alert) {
  const place = $(":scope > .problem", item)
  let body
  try { body = JSON.parse($("textarea", item).value) } catch (error) {
    return tell(place, { message: `The text is not JSON yet: ${error.message}.` })
  }
  try {
    const answer = await call("POST", `/v3/rejected/${alert.id}/resubmit`, body)
    drop(item)
    toast(`Resubmitted. ${answer?.message ?? ""}`)
  } catch (problem) {
    const faults = Object.keys(problem.fields).length > 0
    tell(place, faults ? { message: "Still refused, for the reasons above." } : problem)
    if (faults) $(".reasons", item).replaceChildren(...reasons(problem.fields))
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
async function load() {
  const place = $(":scope > .problem", section)
  try {
    const { rejected } = await get("/v3/rejected/100")
    const old = new Map([...section.querySelectorAll(".cards > li")].map(item => [item.dataset.id, item]))
    $("#rejected-list").replaceChildren(...rejected.map(alert => old.get(String(alert.id)) ?? card(alert)))
    $(".empty-line", section).hidden = rejected.length > 0
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

function shown() {
  load()
  countRefused()
}

export function mount(root) {
  section = root
  on("rejected", later(load, 300))
  on("resync", load)
  shown()
  return { shown }
}
