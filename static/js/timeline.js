// What happened to one signal, from its events, in words.
import { get, tell } from "./api.js"
import { clock, exact } from "./clock.js"
import { $, clone, el, show } from "./dom.js"
import { number } from "./format.js"

const fields = {
  order_status: "Status", status_msg: "Message", error_msg: "Error", order_contracts: "Quantity", order_price: "Price",
  fill_price: "Fill price", slip: "Slippage", order_id1: "Order of leg 1", order_id2: "Order of leg 2",
  stk_price1: "Price of leg 1", stk_price2: "Price of leg 2", filled_qty1: "Filled of leg 1", filled_qty2: "Filled of leg 2", order_comment: "Comment", order_action: "Action",
}
const twins = ["ticker1", "ticker2", "price1", "price2"]
const titles = { "signal.created": "Received", "signal.updated": "Changed", "signal.deleted": "Deleted" }

const text = value => value == null || value === "" ? "–" : typeof value === "number" ? number(value) : String(value)

function moment(event, today) {
  const item = clone("moment")
  const changes = Object.entries(event.changes ?? {}).filter(([field]) => !twins.includes(field))
  const status = event.type === "signal.updated" && changes.find(([field]) => field === "order_status")
  show(item, { title: status ? `Now ${text(status[1][1])}` : titles[event.type] ?? event.type, source: event.source ? `by ${event.source}` : "" })
  const time = $("time", item)
  time.textContent = clock(event.time, today)
  time.title = exact(event.time)
  if (event.type !== "signal.created") {
    $("ul", item).append(...changes.map(([field, [old, fresh]]) => el("li", `${fields[field] ?? field}: ${text(old)} → ${text(fresh)}`)))
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
