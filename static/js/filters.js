// The bar of filters, which the dashboard and the list share. The address of the page has them, and a live signal is matched by
// the same rules as the server's lists.
import { suggest } from "./api.js"
import { $, $$, address, flag, later, page } from "./dom.js"
import { endOf, presets, startOf } from "./format.js"
import { isNotTraded, kind, message, name, original } from "./status.js"

const form = $("#filters")
const fields = ["q", "ticker_webhook", "status", "tradetype", "start_date", "end_date"].map(key => form.elements[key])

const { groups } = page.words

function hasStatus(s, status) {
  if (status === "not_traded") return isNotTraded(s)
  if (status === "failed") return kind(s) === "error" && !isNotTraded(s)
  return (groups[status] ?? [status]).includes(s.order_status)
}

export const values = () => Object.fromEntries(fields.map(field => [field.name, field.value.trim()]))
export const any = () => fields.some(field => field.value.trim())

// "NYSE:MA-1.3*V" as signals are named: "MA-V".
const plain = ticker => ticker.toUpperCase().replace(/[A-Z_]+:|[\d.]+\*/g, "")

// The filters in the words of the API; days become instants.
export function asked() {
  const { q, ticker_webhook, status, tradetype, start_date, end_date } = values()
  const until = end_date && endOf(end_date)
  const all = { q, ticker: plain(ticker_webhook), status, type: tradetype, since: start_date && startOf(start_date), until }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value))
}

export function matcher({ status, type, ticker, q, since, until }) {
  const text = q?.toLowerCase()
  return s => {
    if (status && !hasStatus(s, status)) return false
    if (type && s.ticker_type !== type) return false
    if (ticker && name(s) !== ticker) return false
    if (since && s.timestamp < since) return false
    if (until && s.timestamp > until) return false
    return !text || [s.ticker, s.order_comment, original(s), message(s)].some(part => part?.toLowerCase().includes(text))
  }
}

// --- days ---

// Takes away what the server said of a date that was none.
function fine(field) {
  if (!field.value) return
  field.removeAttribute("aria-invalid")
  $(`#problem-${field.name}`)?.remove()
}

function draw() {
  const { start_date, end_date } = values()
  const known = presets()
  for (const button of $$("[data-days]", form)) {
    const [first, last] = known[button.dataset.days]
    button.setAttribute("aria-pressed", start_date === first && end_date === last)
  }
  flag($("#clear"), "data-off", !any())
  for (const field of [form.elements.start_date, form.elements.end_date]) fine(field)
}

export function mountFilters(changed) {
  let applied = JSON.stringify(values())
  const apply = () => {
    applied = JSON.stringify(values())
    address(values())
    draw()
    changed()
  }
  const follow = () => { if (JSON.stringify(values()) !== applied) apply() } // a choice comes as `input` and as `change`
  form.addEventListener("change", follow)
  form.addEventListener("input", later(follow, 200))
  form.addEventListener("submit", event => { event.preventDefault(); apply(); document.activeElement.blur() })
  form.addEventListener("click", ({ target }) => {
    const { days } = target.dataset
    if (!days) return
    const pressed = target.getAttribute("aria-pressed") === "true"
    const [first, last] = pressed ? ["", ""] : presets()[days]
    Object.assign(form.elements.start_date, { value: first })
    Object.assign(form.elements.end_date, { value: last })
    apply()
  })
  const clear = event => {
    event.preventDefault()
    for (const field of fields) field.value = ""
    apply()
  }
  for (const link of $$("[data-act=clear]")) link.addEventListener("click", clear)
  $("#more-filters").addEventListener("click", ({ target }) => {
    const open = target.getAttribute("aria-expanded") !== "true"
    target.setAttribute("aria-expanded", open)
    flag(form, "data-open", open)
  })
  form.elements.ticker_webhook.addEventListener("focus", () => suggest($("#names")), { once: true })
  addEventListener("popstate", () => { address(values()); draw() })
  draw()
}
