// The dashboard: filters, figures and the live table.
import "./frame.js"
import { get } from "./api.js"
import { $, later } from "./dom.js"
import { mountFigures } from "./figures.js"
import { filters, mountFilters } from "./filters.js"
import { on } from "./live.js"
import { Signals } from "./signals.js"

const signals = new Signals(filters)
mountFilters(() => signals.reload())
mountFigures()

// Asks for the alarms; alarms.js is loaded with the first one.
const ask = later(async () => {
  try {
    const { alarms } = await get("/v3/alarms")
    if (alarms.length || !$("#alarms").hidden) (await import("./alarms.js")).draw(alarms)
  } catch { /* the light shows that the server is away; the page asks again when it is back */ }
}, 100)
if ($("#alarms")) for (const topic of ["hello", "alarms"]) on(topic, ask)
