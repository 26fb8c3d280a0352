// The positions: the figures of the account, what is held, and two charts.
import "./frame.js"
import { get } from "./api.js"
import { AccountChart, PairChart } from "./charts.js"
import { $, flag, page, put } from "./dom.js"
import { exact, favour, minutesSince, number, percent, signed, span } from "./format.js"
import { mountHoldings } from "./holdings.js"
import { on } from "./live.js"

const tiles = $("#account")
const old = 15 // minutes
const large = 1e7 // from here on without cents
const pnls = ["DailyPnL", "RealizedPnL", "UnrealizedPnL"]
let record = page.account

function figure(key, x) {
  const places = Math.abs(x) < large ? 2 : 0
  if (pnls.includes(key)) return signed(x, "", places)
  return number(typeof x === "number" && Math.abs(x) < 1e12 ? +x.toFixed(places) : x)
}

// What stands below a figure.
const below = {
  DailyPnL: ({ DailyPnL: x, NetLiquidation: net }) => percent(x, net - x, share => `${signed(+share.toFixed(2), "", 2)} %`),
  MaintMarginReq: ({ MaintMarginReq: x, NetLiquidation: net }) => percent(x, net, share => `${number(+share.toFixed(1))} % of net`),
}

function draw() {
  for (const tile of tiles.children) {
    const key = tile.dataset.tile
    if (key === "age") continue
    const value = record?.[key]
    const text = figure(key, value)
    put($(".value", tile), text)
    flag($(".value", tile), "data-long", text.length > 12)
    flag($(".value", tile), "title", number(value) || null)
    if (pnls.includes(key)) flag(tile, "data-favour", favour(value))
    put($(".more", tile), record && below[key]?.(record))
  }
  $("#teach").hidden = Boolean(record)
  tick()
}

function tick() {
  const tile = $('[data-tile="age"]', tiles)
  const age = record ? minutesSince(record.timestamp) : 0
  put(tile.firstElementChild, age > old ? "Old report" : "Last report")
  put($(".value", tile), record ? span(age) : "never")
  $(".value", tile).title = record ? exact(record.timestamp) : ""
  flag(tile, "data-late", age > old && "amber")
}

function receive({ account }, verb) {
  if (verb === "deleted") {
    if (account.rowid === record?.rowid) refresh()
  } else if (account.rowid >= (record?.rowid ?? 0)) {
    record = account
    draw()
  }
}

async function refresh() {
  try {
    record = (await get("/v3/pnl/1")).signals[0] ?? null
    draw()
  } catch { /* the light shows that the server is away; the page asks again when it is back */ }
}

on("account", receive)
on("resync", refresh)
setInterval(tick, 5000)
draw()
const chart = new PairChart(page.chosen)
mountHoldings(name => chart.choose(name))
new AccountChart()
