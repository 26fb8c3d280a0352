// The timeline of a signal: its events, in words.
import { get, tell } from "./api.js"
import { clock, exact } from "./clock.js"
import { $, clone, el, show } from "./dom.js"
import { capital, number } from "./format.js"
import { shown } from "./status.js"

const words = { order_status: "Status", status_msg: "Message", error_msg: "Error", slip: "Slippage" }
const label = field => words[field] ?? capital(field.replace(/^(order|stk)_(?!id)/, "").replaceAll("_", " ").replace(/\d$/, " of leg $&"))
const titles = { "signal.created": "Received", "signal.updated": "Changed", "signal.deleted": "Deleted" }

const text = (value, field) => (value ?? "") === "" ? "–" : typeof value === "number" && !/_id/.test(field) ? number(value) : `${value}`

function moment(event, today) {
  const item = clone("moment")
  const status = event.type === "signal.updated" && event.changes.order_status
  show(item, { title: status ? `Now ${status[1]}` : titles[event.type] ?? event.type, source: event.source ? `by ${event.source}` : "" })
  const time = $("time", item)
  time.textContent = clock(event.time, today)
  time.title = exact(event.time)
  if (event.type !== "signal.created") {
    const lines = Object.entries(event.changes).filter(shown).map(([field, pair]) => [field, ...pair.map(value => text(value, field))]).filter(([, old, fresh]) => old !== fresh)
    $("ul", item).append(...lines.map(([field, old, fresh]) => el("li", `${label(field)}: ${old} → ${fresh}`)))
  }
  return item
}

export async function drawTimeline(rowid, today, still) {
  const note = $("#timeline-note")
  try {
    const { events } = await get(`/v3/signal/${rowid}/events`)
    if (!still()) return
    $("#timeline").replaceChildren(...events.map(event => moment(event, today)))
    tell(note, events.length ? null : { message: "No events are kept for this signal." })
  } catch (problem) {
    if (!still()) return
    $("#timeline").replaceChildren()
    tell(note, problem.status === 401 ? { status: 401, message: "The timeline is for logged-in users." } : problem)
  }
}
