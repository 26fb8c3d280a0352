// The dashboard: figures, alarms and the live table of signals.
import { mountAlarms } from "./alarms.js"
import { load, missing } from "./dialogs.js"
import { $, page, put } from "./dom.js"
import { remember } from "./frame.js"
import { on } from "./live.js"
import { Signals } from "./signals.js"
import { mountStrip } from "./strip.js"

// A line with what is left of the first start, once there are signals; the whole checklist stands where the rows will be, and in Setup.
// theme.js hides the line where the reader has dismissed it.
function mountSteps() {
  const line = $("#steps")
  const { start } = page
  const draw = () => {
    const left = [[start.ticker, "register a ticker"], [start.bridge, "connect the bridge"]].filter(([done]) => !done).map(([, step]) => step)
    line.hidden = !start.alert || !left.length
    put($("a", line), left.join(" and "))
    $("a", line).href = start.ticker ? "/setup#bridge" : "/setup#registry"
  }
  const done = step => () => { start[step] = true; draw() }
  on("signal", done("alert"))
  on("bridge", done("bridge"))
  on("pair", ({ pair }, verb) => { if (verb !== "deleted" && pair.status) done("ticker")() })
  on("stock", ({ stock }, verb) => { if (verb !== "deleted" && stock.active) done("ticker")() })
  $("button", line).addEventListener("click", () => remember("steps", "dismissed"))
  draw()
}

mountStrip()
mountAlarms()
new Signals()
if (page.start && page.user) mountSteps()
if (page.start && !page.signals.length) load(() => import("./start.js")).catch(missing)
