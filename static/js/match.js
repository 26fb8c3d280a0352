// Whether a live signal matches the filters. The rules are the same as for the server's lists.
import { message, name } from "./status.js"

// The reasons for which a signal was not traded; the server writes them into the page.
const reasons = JSON.parse(document.querySelector("option[data-reasons]")?.dataset.reasons ?? "[]")

// Filters that match several statuses.
const meant = new Map([["waiting", ["waiting", "rerouted"]], ["failed", ["error", "critical err"]]])

const is = (s, status) => status === "not_traded"
  ? ["canceled", "error"].includes(s.order_status) && reasons.includes(s.status_msg)
  : (meant.get(status) ?? [status]).includes(s.order_status)

export function matcher({ status, type, ticker, q, since, until }) {
  const text = q?.trim().toLowerCase()
  return s => {
    if (status && !is(s, status)) return false
    if (type && s.ticker_type !== type) return false
    if (ticker && name(s) !== ticker) return false
    if (since && s.timestamp < since) return false
    if (until && s.timestamp > until) return false
    return !text || [s.ticker, s.order_comment, message(s)].some(part => part?.toLowerCase().includes(text))
  }
}

export const query = filters => new URLSearchParams(Object.entries(filters).filter(([, value]) => value))
