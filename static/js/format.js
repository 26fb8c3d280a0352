// Writes numbers, money and ages as text. templates/macros/format.html does the same on the server.
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
  return (x > 0 ? "+" : x < 0 ? "−" : "") + symbol + (size >= 1e12 ? size.toExponential(3) : plain(size, places, places))
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

export const plural = (n, word) => `${number(n)} ${word}${n === 1 ? "" : "s"}`
