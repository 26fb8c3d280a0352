// The filters above the table, kept in the URL.
import { $, address, later } from "./dom.js"

const form = $("#filters")
const fields = ["q", "status", "type", "ticker", "since"].map(name => form.elements[name])

export const filters = () => Object.fromEntries(fields.map(field => [field.name, field.value.trim()]))

function write() {
  address(filters())
  $("#clear").hidden = !fields.some(field => field.value)
  for (const chip of ["ticker", "since"]) $(`#${chip}-chip`).hidden = !form.elements[chip].value
}

export function mountFilters(changed) {
  const apply = () => { write(); changed() }
  const clear = (...some) => { for (const field of some) field.value = ""; apply() }
  form.addEventListener("change", apply)
  form.addEventListener("input", later(apply, 200))
  form.addEventListener("submit", event => { event.preventDefault(); apply(); form.elements.q.blur() })
  $("#clear").addEventListener("click", event => { event.preventDefault(); clear(...fields) })
  for (const chip of ["ticker", "since"]) $(`#${chip}-chip`).addEventListener("click", () => clear(form.elements[chip]))
  addEventListener("popstate", write)
}
