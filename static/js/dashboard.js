// The dashboard: filters, figures and the live table.
import "./frame.js"
import { mountFigures } from "./figures.js"
import { filters, mountFilters } from "./filters.js"
import { Signals } from "./signals.js"

const signals = new Signals(filters)
mountFilters(() => signals.reload())
mountFigures()
