// The list: the signals of a range of dates, their totals, and their file.
import "./frame.js"
import { $ } from "./dom.js"
import { on } from "./live.js"
import { Signals } from "./signals.js"
import { refreshTotals } from "./totals.js"

const range = $("#range")
const chosen = new URLSearchParams(location.search)
const fixed = {
  ticker: chosen.get("ticker_webhook") ?? "", type: chosen.get("tradetype") ?? "",
  since: range.dataset.since, until: range.dataset.until,
}

new Signals(() => fixed)
on("signal", () => refreshTotals(fixed))
on("resync", () => refreshTotals(fixed))
range.addEventListener("submit", () => {
  for (const field of range.elements) if (field.name && !field.value) field.disabled = true
})
