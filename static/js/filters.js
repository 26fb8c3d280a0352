// The filters above the table, kept in the URL.
import { $, later } from "./dom.js"

const names = ["q", "status", "type", "ticker"]
const form = $("#filters")

export const filters = () => Object.fromEntries(names.map(name => [name, form.elements[name].disabled ? "" : form.elements[name].value.trim()]))

function write() {
  const url = new URL(location)
  const values = filters()
  for (const name of names) {
    if (values[name]) url.searchParams.set(name, values[name])
    else url.searchParams.delete(name)
  }
  history.replaceState(history.state, "", url)
  $("#clear").hidden = !Object.values(values).some(Boolean)
}

function clear(event) {
  event.preventDefault()
  for (const name of names) form.elements[name].value = ""
  $("#ticker-chip").hidden = true
}

export function mountFilters(changed) {
  const apply = () => { write(); changed() }
  form.addEventListener("change", apply)
  form.addEventListener("input", later(apply, 200))
  form.addEventListener("submit", event => { event.preventDefault(); apply(); form.elements.q.blur() })
  $("#clear").addEventListener("click", event => { clear(event); apply() })
  $("#ticker-chip").addEventListener("click", () => {
    form.elements.ticker.value = ""
    $("#ticker-chip").hidden = true
    apply()
  })
  addEventListener("popstate", write)
}
