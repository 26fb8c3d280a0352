// The limits: what is set, and what of them is used today. Admins change them.
import { call, get, tell } from "./api.js"
import { toast } from "./dialogs.js"
import { $, flag, later, put } from "./dom.js"
import { number, plural } from "./format.js"
import { decimal, fillIn, onSubmit, values } from "./forms.js"
import { on } from "./live.js"

let form, limits

const recent = x => x === null ? "unknown: no account record of the last 15 min" : `${number(x, 2)} today`

// What is used of each limit: [words, how much].
function used({ entries, ticker_entries, open, loss, drawdown }) {
  const [name, most] = Object.entries(ticker_entries).sort(([, a], [, b]) => b - a)[0] ?? []
  return {
    entries: [`${number(entries)} today`, entries],
    ticker_entries: [name ? `${number(most)} of ${name} today` : "0 today", most],
    open: [`${number(open)} open`, open],
    loss: [recent(loss), loss],
    drawdown: limits.drawdown === null ? ["", null] : [recent(drawdown).replace("today", "now"), drawdown],
  }
}

async function load({ fill = true } = {}) {
  try {
    const told = await get("/v3/trading")
    limits = told.limits
    if (fill) fillIn(form, limits)
    for (const [key, [words, amount]] of Object.entries(used(told.today))) {
      const place = $(`[data-show="${key}"]`, form)
      put(place, words)
      flag(place, "data-state", limits[key] !== null && amount >= limits[key] ? "amber" : null)
    }
    tell($("#limits > .problem"), null)
  } catch (problem) { tell($("#limits > .problem"), problem) }
}

async function save() {
  const given = Object.entries(values(form)).map(([name, text]) => [name, text === "" ? null : decimal(text)])
  limits = await call("PUT", "/v3/limits", Object.fromEntries(given))
  const set = Object.values(limits).filter(limit => limit !== null).length
  toast(set ? `${plural(set, "limit")} ${set === 1 ? "is" : "are"} set.` : "No limit is set.")
  load()
}

export async function mount(section) {
  form = $("form", section)
  const again = later(load, 300)
  for (const topic of ["signal", "account"]) on(topic, () => again({ fill: false }))
  for (const topic of ["trading", "resync"]) on(topic, () => again({ fill: !form.matches(":focus-within") }))
  onSubmit(form, () => ({}), save)
  await load()
  return { shown: load }
}
