// Times arrive in UTC and are shown in the zone of the settings or of the browser. Ages are counted by the server's clock.
export const zone = document.body.dataset.zone || Intl.DateTimeFormat().resolvedOptions().timeZone
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

export function parts(instant) {
  const found = {}
  for (const { type, value } of numbers.formatToParts(instant)) found[type] = value
  return found
}

export function startOfToday() {
  const here = parts(now())
  const start = now() - (here.hour * 3600 + here.minute * 60 + +here.second) * 1000
  const there = parts(start)
  const off = there.hour * 60 + +there.minute
  return utc(start + (off < 720 ? -off : 1440 - off) * 60000)
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

setNow(document.body.dataset.now)
if (!document.body.dataset.zone) document.cookie = `zone=${zone}; path=/; max-age=31536000; samesite=lax`
