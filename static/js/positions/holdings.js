// The tables of positions. The server computes them; after a change the page asks for them again.
import { get, tell } from "../api.js"
import { $, $$, address, clone, flag, put } from "../dom.js"
import { on } from "../live.js"
import { differs, pair, single, total } from "./rows.js"

const root = $(".held")
const gap = 500 // milliseconds to wait after a change, because the bridge reports each position in its own call
const moment = 1500
const tables = {
  pairs: { rows: $("#pairs tbody"), template: "pair-row", fill: pair, name: each => each.name },
  singles: { rows: $("#singles tbody"), template: "single-row", fill: single, name: each => each.symbol },
  totals: { rows: $("#totals tbody"), template: "total-row", fill: total, name: each => each.currency },
}
let chosen = root.dataset.chosen
let timer, asked = 0, missed = false

function lay({ rows, template, fill, name }, records, mark) {
  const old = new Map($$("tr", rows).map(tr => [tr.dataset.name, tr]))
  let next = rows.firstElementChild
  for (const record of records) {
    const text = JSON.stringify(record)
    const known = old.get(name(record))
    const tr = known ?? clone(template)
    old.delete(name(record))
    if (tr === next) next = next.nextElementSibling
    else rows.insertBefore(tr, next)
    fill(tr, record, chosen)
    if (mark && tr.told !== text) fresh(tr)
    tr.told = text
  }
  for (const tr of old.values()) tr.remove()
}

function fresh(tr) {
  flag(tr, "data-fresh", true)
  setTimeout(() => flag(tr, "data-fresh", null), moment)
}

function draw(held, mark) {
  for (const [key, table] of Object.entries(tables)) {
    lay(table, held[key], mark)
    put($(`[data-count="${key}"]`), held[key].length || "")
  }
  const marked = (some, word) => { const n = held.pairs.filter(({ mark }) => some.includes(mark)).length; return n ? `${n} ${word}` : "" }
  put($('[data-count="bad"]'), marked(["wrong", "leg missing", "left over"], "wrong"))
  put($('[data-count="off"]'), marked(["off"], "off"))
  const told = differs(held).map(text => Object.assign(document.createElement("li"), { textContent: text }))
  $("#told").replaceChildren(...told)
  $("#told").hidden = !told.length
  $("#pairs").hidden = !held.pairs.length
  $("#no-pairs").hidden = held.pairs.length > 0
  $("#others").hidden = !held.singles.length
  $("#sums").hidden = !held.totals.length
}

async function refresh() {
  timer = null
  missed = document.hidden
  if (missed) return
  const turn = ++asked
  let problem = null
  try {
    const held = await get("/v3/positions")
    if (turn === asked) draw(held, true)
  } catch (trouble) { problem = trouble }
  if (turn === asked) tell($("#held-problem"), problem)
}

const soon = () => { timer ??= setTimeout(refresh, gap * (1 + Math.random() / 4)) }

function choose(name, changed) {
  chosen = name
  for (const tr of $$("tr[data-name]", root)) flag(tr, "aria-current", tr.dataset.name === name ? "true" : null)
  changed(name)
}

export function mountHoldings(changed) {
  draw(JSON.parse(root.dataset.held))
  for (const topic of ["position", "pair", "stock", "resync"]) on(topic, soon)
  on("hello", () => { if (!$("#held-problem").hidden) soon() })
  document.addEventListener("visibilitychange", () => { if (missed && !document.hidden) refresh() })
  addEventListener("popstate", () => choose(new URLSearchParams(location.search).get("pair") ?? root.dataset.chosen, changed))
  root.addEventListener("click", event => {
    const link = event.target.closest("th a")
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    const { name } = link.closest("tr").dataset
    address({ pair: name }, { push: name !== chosen })
    choose(name, changed)
    $("#pair-chart").scrollIntoView({ block: "nearest" })
  })
}
