// Times for the library's axis: seconds that always rise. It knows no time zones, so it gets the wall clock of the page's zone.
import { parse, parts } from "../clock.js"

function wall(text) {
  const at = parts(parse(text))
  return Date.UTC(at.year, at.month - 1, at.day, at.hour, at.minute, at.second) / 1000
}

// Returns [{time, record}], oldest first. If a time is not later than the one before it (the same second, or a clock that
// was set back), the record is put one second after it; the legend shows its real time.
export function ascending(records) {
  let last = -Infinity
  return records
    .toSorted((a, b) => a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : a.rowid - b.rowid)
    .map(record => ({ time: last = Math.max(wall(record.timestamp), last + 1), record }))
}
