// The tiles of the account. Each report of the bridge has the whole record.
import { get } from "../api.js"
import { exact, minutesSince } from "../clock.js"
import { $, flag, put } from "../dom.js"
import { favour, number, signed, span } from "../format.js"
import { on } from "../live.js"

const tiles = $("#account")
const old = 15 // minutes
const pnls = ["DailyPnL", "RealizedPnL", "UnrealizedPnL"]
let record = JSON.parse(tiles.dataset.record)

function draw() {
  for (const tile of tiles.children) {
    const key = tile.dataset.tile
    if (key === "age") continue
    const value = record?.[key]
    const pnl = pnls.includes(key)
    put(tile.lastElementChild, pnl ? signed(value, "", 2) : number(value))
    if (pnl) flag(tile, "data-favour", favour(value))
  }
  $("#teach").hidden = Boolean(record)
  tick()
}

function tick() {
  const tile = $('[data-tile="age"]', tiles)
  const age = record ? minutesSince(record.timestamp) : 0
  put(tile.firstElementChild, age > old ? "Old report" : "Last report")
  put(tile.lastElementChild, record ? span(age) : "never")
  tile.lastElementChild.title = record ? exact(record.timestamp) : ""
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

export function mountAccount() {
  on("account", receive)
  on("resync", refresh)
  setInterval(tick, 5000)
  draw()
}
