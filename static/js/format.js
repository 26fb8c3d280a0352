// Writes numbers, money, ages and times as text. Times arrive in UTC and are shown in the zone of the settings or of the browser;
// ages are counted by the server's clock.
import { page } from "./dom.js"

const symbols = { USD: "$", EUR: "€", GBP: "£", JPY: "¥" }
const formats = new Map()

function plain(x, least, most) {
  const key = `${least}/${most}`
  if (!formats.has(key)) {
    formats.set(key, new Intl.NumberFormat("en-US", { minimumFractionDigits: least, maximumFractionDigits: most }))
  }
  return formats.get(key).format(x)
}

const extreme = x => Math.abs(x) >= 1e12 || (x !== 0 && Math.abs(x) < 1e-8)

export function number(x, places = 0) {
  if (typeof x !== "number") return ""
  return (extreme(x) ? x.toExponential(3) : plain(x, places, 8)).replaceAll("-", "−")
}

export function signed(x, symbol = "", places = 4) {
  const size = Math.abs(x)
  if (typeof x !== "number" || size >= 1e308) return ""
  const text = size >= 1e12 ? size.toExponential(3) : plain(size, places, places)
  const sign = !/[1-9]/.test(text) ? "" : x > 0 ? "+" : "−" // what rounds to 0 has none
  return sign + symbol + text
}

export const money = (x, code, places = 2) => signed(x, symbols[code] ?? `${code}\u00a0`, places)

export function span(minutes) {
  if (minutes < 1) return "now"
  if (minutes < 60) return `${Math.floor(minutes)} min`
  return minutes < 2880 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} d`
}

export const ago = seconds => seconds < 60 ? `${Math.max(0, Math.floor(seconds))} s` : span(seconds / 60)

export const capital = text => text ? text[0].toUpperCase() + text.slice(1) : ""

export const favour = x => x > 0 ? "for" : x < 0 ? "against" : null

// What a part is of a whole, as `write(percent)` puts it; "" where that says nothing.
export function percent(part, whole, write) {
  const share = 100 * part / whole
  return typeof part === "number" && whole > 0 && Math.abs(share) < 1e6 ? write(share) : ""
}

export const plural = (n, word) => `${number(n)} ${word}${n === 1 ? "" : "s"}`

export const zone = page.zone || Intl.DateTimeFormat().resolvedOptions().timeZone
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
const numbers = new Intl.DateTimeFormat("en-GB", {
  timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit",
  hour: "2-digit", minute: "2-digit", second: "2-digit",
})
let skew = 0

export const parse = text => Date.parse(`${text.trim().replace(" ", "T")}Z`)
export const setNow = text => { if (text) skew = parse(text) - Date.now() }
export const now = () => Date.now() + skew
const utc = instant => new Date(instant).toISOString().slice(0, 19).replace("T", " ")
export const minutesSince = text => (now() - parse(text)) / 60000

function parts(instant) {
  const found = {}
  for (const { type, value } of numbers.formatToParts(instant)) found[type] = value
  return found
}

// The wall clock of the zone, in milliseconds as if it were UTC.
export function wall(instant) {
  const at = parts(instant)
  return Date.UTC(at.year, at.month - 1, at.day, at.hour, at.minute, at.second)
}

// The day ("2026-11-29") of an instant in UTC, and in the page's zone.
export const utcDay = instant => new Date(instant).toISOString().slice(0, 10)
export const dayOf = instant => utcDay(wall(instant))

// When a day begins in the page's zone, as UTC; `shift` milliseconds later.
export function startOf(day, shift = 0) {
  const wanted = Date.parse(`${day}T00:00:00Z`)
  let at = wanted
  for (let tries = 0; tries < 3; tries++) at += wanted - wall(at)
  if (wall(at) < wanted) at += wanted - wall(at) // the clocks go forward at midnight
  return utc(at + shift)
}

export const startOfToday = () => startOf(dayOf(now()))

// When a day ends: its last second, as UTC.
const noon = day => Date.parse(`${day}T12:00:00Z`)
export const endOf = day => startOf(utcDay(noon(day) + 86400000), -1000)

// What the buttons above a list choose: {name: [first day, last day]}; "" is open.
export function presets() {
  const today = dayOf(now())
  const at = n => utcDay(noon(today) + n * 86400000)
  const weekday = (new Date(noon(today)).getUTCDay() + 6) % 7 // 0: Monday
  return {
    today: [today, ""], week: [at(-weekday), ""], month: [`${today.slice(0, 8)}01`, ""], year: [`${today.slice(0, 5)}01-01`, ""], all: ["", ""],
    last_week: [at(-weekday - 7), at(-weekday - 1)],
  }
}

export function clock(text, today) {
  const at = parts(parse(text))
  if (text >= today) return `${at.hour}:${at.minute}:${at.second}`
  const year = at.year === parts(now()).year ? "" : ` ${at.year.slice(2)}`
  return `${+at.day} ${months[at.month - 1]}${year} ${at.hour}:${at.minute}`
}

export function exact(text) {
  const at = parts(parse(text))
  return `${at.year}-${at.month}-${at.day} ${at.hour}:${at.minute}:${at.second}`
}

export const hour = instant => { const at = parts(instant); return `${at.hour}:${at.minute}` }

setNow(page.now)
if (!page.zone) document.cookie = `zone=${zone}; path=/; max-age=31536000; samesite=lax`

// A pair as a chart writes it.
export const equation = pair => `${pair.ticker1}-${pair.hedge}*${pair.ticker2}`
