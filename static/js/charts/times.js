// The library's time axis: seconds that rise strictly. It knows no zones, so that it is told the wall clock of the page's.
import { parse, parts } from "../clock.js"

function wall(text) {
  const at = parts(parse(text))
  return Date.UTC(at.year, at.month - 1, at.day, at.hour, at.minute, at.second) / 1000
}

// [{time, record}], oldest first. Of records within one second, or within the hour that a clock goes back,
// each stands a second after the one before; the legend still tells its own time.
export function ascending(records) {
  let last = -Infinity
  return records
    .toSorted((a, b) => a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : a.rowid - b.rowid)
    .map(record => ({ time: last = Math.max(wall(record.timestamp), last + 1), record }))
}
