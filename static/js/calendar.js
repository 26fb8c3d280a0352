// The calendar: what each day brought, as a number with a tint.
import { $, el, flag, put } from "./dom.js"
import { favour, money, plural, signed } from "./format.js"

const months = matchMedia("(width < 48rem)").matches ? 2 : 12 // that are shown at first
const day = 86400000 // milliseconds
let allMonths = false
let shown = [[], ""]

// "+908", "−2.3k", "−12k": short enough for a day of the calendar.
const short = x => Math.abs(x) >= 999.5 ? `${signed(x / 1000, "", Math.abs(x) < 9950 ? 1 : 0)}k` : signed(x, "", 0)

function monthOf(name, sums, most, { code, weekdays }) {
  const [year, month] = name.split("-").map(Number)
  const whole = [...sums.values()].reduce((sum, x) => sum + x, 0)
  const table = el("table")
  const caption = table.appendChild(el("caption", new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", month: "long", year: "numeric" }).format(Date.UTC(year, month - 1))))
  const sum = caption.appendChild(el("b", money(whole, code, 0)))
  flag(sum, "data-favour", favour(whole))
  const head = table.createTHead().insertRow()
  head.append(...["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"].slice(0, weekdays).map(text => el("th", text, { scope: "col" })))
  const body = table.createTBody()
  let row
  for (let at = Date.UTC(year, month - 1, 1); new Date(at).getUTCMonth() === month - 1; at += day) {
    const weekday = (new Date(at).getUTCDay() + 6) % 7
    if (weekday >= weekdays) continue
    if (!row || weekday === 0) row = week(body, weekdays)
    const cell = row.cells[weekday]
    const date = new Date(at).getUTCDate()
    cell.append(el("span", date))
    const gain = sums.get(date)
    if (gain === undefined) continue
    cell.append(el("b", short(gain)))
    cell.title = `${date} ${caption.firstChild.textContent}: ${money(gain, code)}`
    flag(cell, "data-favour", favour(gain))
    cell.dataset.level = Math.max(1, Math.ceil(4 * Math.sqrt(Math.abs(gain) / most)))
  }
  return table
}

function week(body, weekdays) {
  const row = body.insertRow()
  for (let i = 0; i < weekdays; i++) row.insertCell()
  return row
}

let drawn // the calendar as text, so that it is drawn only after a change

// `all`: [{day, realised: {currency: money}}]; the days of one currency are shown.
export function drawDays(all, code) {
  shown = [all, code]
  const days = all.filter(({ realised }) => code in realised)
  const key = JSON.stringify([code, days, allMonths])
  if (key === drawn) return
  drawn = key
  const byMonth = Map.groupBy(days, ({ day }) => day.slice(0, 7))
  const weekend = days.some(({ day }) => [0, 6].includes(new Date(day).getUTCDay()))
  const most = Math.max(...days.map(({ realised }) => Math.abs(realised[code])), 0.01)
  const names = [...byMonth.keys()].reverse()
  const some = allMonths ? names : names.slice(0, months)
  $(".months").replaceChildren(...some.map(name => {
    const sums = new Map(byMonth.get(name).map(({ day, realised }) => [+day.slice(8), realised[code]]))
    return monthOf(name, sums, most, { code, weekdays: weekend ? 7 : 5 })
  }))
  flag($("#equity-row"), "data-wide", some.length > 2)
  put($("#calendar-title small"), days.length ? plural(days.length, "day") : "none yet")
  const more = $("[data-act=months]")
  more.hidden = some.length === names.length
  put(more, `Show all ${names.length} months`)
}

$("[data-act=months]").addEventListener("click", () => { allMonths = true; drawDays(...shown) })
