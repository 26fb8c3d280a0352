// The totals of the list, asked again some time after a change.
import { get } from "./api.js"
import { $, clone, flag, later, put } from "./dom.js"
import { favour, number, signed } from "./format.js"
import { query } from "./match.js"

function draw(totals) {
  put($('[data-total="count"] dd'), number(totals.count))
  put($('[data-total="quantity"] dd'), number(totals.quantity))
  for (const side of ["all", "buy", "sell"]) {
    const place = $(`[data-total="${side}"]`)
    put($("dd", place), signed(totals.average_slippage[side]))
    flag(place, "data-favour", favour(totals.average_slippage[side]))
  }
  $("#by-status").replaceChildren(...Object.entries(totals.by_status).map(([status, n]) => {
    const item = clone("status-count")
    put($("bdi", item), status)
    put($("b", item), number(n))
    return item
  }))
}

export const refreshTotals = later(async filters => {
  try {
    draw(await get(`/v3/totals?${query(filters)}`))
  } catch { /* the light already says that the server is away */ }
}, 1000)
