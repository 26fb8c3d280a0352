// The totals of the list; they are loaded again shortly after a change.
import { get } from "./api.js"
import { cost } from "./cost.js"
import { $, clone, later, put } from "./dom.js"
import { number } from "./format.js"
import { query } from "./match.js"

function draw(totals) {
  put($('[data-total="count"] dd'), number(totals.count))
  put($('[data-total="quantity"] dd'), number(totals.quantity))
  for (const [side, slippage] of Object.entries({ all: totals.slippage, ...totals.slippage_by_action })) {
    cost($(`[data-total="${side}"] dd`), slippage)
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
  } catch { /* the light shows that the server is away */ }
}, 1000)
