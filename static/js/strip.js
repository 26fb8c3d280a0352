// The strip of eight figures: today's profit, the hedge, the bridge, what works, what was traded, slippage, the account, the last
// change. It is loaded again after changes, but not too often.
import { get } from "./api.js"
import { $, $$, el, flag, page, put } from "./dom.js"
import { ago, capital, dayOf, favour, minutesSince, money, now, number, percent, signed, span, startOf } from "./format.js"
import { tellTab } from "./frame.js"
import { on } from "./live.js"
import { word } from "./status.js"

let { figures, bridge } = page
let day = dayOf(now())
let timer, seen = 0, askedAt = 0, away = false

const cash = x => signed(x, "", 0) // an account record does not say its currency
const joined = (...parts) => parts.filter(Boolean).join(" · ")
const listed = parts => parts.filter(Boolean).flatMap(part => [" · ", part]).slice(1)
const link = (n, words, state, query) => n ? el("a", `${number(n)} ${words}`, { className: state, href: `/dashboard?${new URLSearchParams(query)}` }) : null
const some = (n, word) => n ? `${number(n)} ${word}` : ""
const running = text => {
  const seconds = Math.max(0, Math.floor(minutesSince(text) * 60))
  return seconds < 3600 ? `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}` : span(seconds / 60)
}

// Each cell: its figure, the line below it, and how it stands out (`state`: red, amber, blue; `favour`: for, against).
const cells = {
  today() {
    const a = figures.account
    if (!a) return { below: "not reported yet" }
    return {
      figure: cash(a.DailyPnL), favour: favour(a.DailyPnL),
      below: joined(a.RealizedPnL !== null && `${cash(a.RealizedPnL)} realised`, a.UnrealizedPnL !== null && `${cash(a.UnrealizedPnL)} unrealised`),
    }
  },
  hedge() {
    const { hedged, unhedged, amounts, filling, filling_since } = figures.hedge
    if (unhedged) {
      const sums = Object.entries(amounts).map(([code, x]) => money(Math.abs(x), code, 0).replace("+", "")).join(", ")
      return { figure: `${number(unhedged)} unhedged`, state: "red", below: joined(sums, some(filling, "filling"), some(hedged, "hedged")) }
    }
    const long = filling_since && minutesSince(filling_since) > page.alarm_minutes
    if (filling) return { figure: `${number(filling)} filling`, state: long ? "amber" : "blue", below: joined(filling_since && running(filling_since), some(hedged, "hedged")) }
    if (hedged) return { figure: `${number(hedged)} hedged`, below: "every leg matches" }
    return figures.account ? { figure: "Flat", below: "no pair is held" } : { below: "not reported yet" }
  },
  bridge() {
    const quiet = bridge.last_seen ? minutesSince(bridge.last_seen) : Infinity
    const late = quiet > 1 && figures.waiting > 0
    const report = figures.account && minutesSince(figures.account.timestamp)
    return {
      figure: quiet < Infinity ? ago(quiet * 60) : "never",
      state: late && (quiet < Infinity && quiet > page.alarm_minutes ? "red" : "amber"),
      below: joined(late && "silent", report !== null && `account ${report < 1 ? "now" : span(report)}`),
    }
  },
  working() {
    const late = figures.oldest_open && minutesSince(figures.oldest_open) > page.alarm_minutes
    return {
      figure: number(figures.open + figures.waiting), state: late && "amber",
      below: listed([
        link(figures.held, "held", "amber", { status: "held" }),
        figures.oldest_open && `oldest ${span(minutesSince(figures.oldest_open))}`, some(figures.waiting, "waiting"),
      ]),
      otherwise: "nothing waits",
    }
  },
  traded() {
    const { filled, not_traded, failed } = figures
    const below = listed([
      link(not_traded, "not traded", "amber", { status: "not_traded", start_date: day }),
      link(failed, "failed", "red", { status: "failed", start_date: day }),
    ])
    return { figure: number(filled), below, otherwise: "nothing failed" }
  },
  slippage() {
    const [first, ...others] = Object.entries(figures.slippage).sort(([, a], [, b]) => b.value - a.value)
    if (!first) return { below: "nothing filled yet" }
    const [code, { money: sum, bp }] = first
    return {
      figure: money(sum, code), favour: favour(sum),
      below: joined(typeof bp === "number" && `${signed(bp, "", 1)} bp`, ...others.map(([code, { money: sum }]) => money(sum, code))),
    }
  },
  account() {
    const a = figures.account
    if (!a) return { below: "" }
    const change = percent(a.DailyPnL, a.NetLiquidation - a.DailyPnL, share => `${signed(share, "", 1)} %`)
    const margin = percent(a.MaintMarginReq, a.NetLiquidation, share => `margin ${number(Math.round(share))} %`)
    return {
      figure: a.NetLiquidation === null ? "" : cash(a.NetLiquidation).replace("+", ""),
      below: joined(change, margin),
    }
  },
  last() {
    const last = figures.last
    if (!last) return { below: "no alert yet" }
    const seconds = minutesSince(last.time) * 60
    return { figure: ago(seconds), href: `?signal=${last.rowid}`, below: `${capital(last.order_action)} ${last.name} ${word(last)}` }
  },
}

function draw() {
  for (const node of $$("#figures > [data-figure]")) {
    const { figure, below = "", otherwise = "", state, favour: side, href } = cells[node.dataset.figure]()
    const [value, line] = $$("dd", node)
    put(value, figure)
    flag(node, "data-state", state)
    flag(value, "data-favour", side)
    const parts = below.length ? [below].flat() : [otherwise]
    const words = parts.map(part => part.textContent ?? part).join("")
    if (line.title !== words || !words) line.replaceChildren(...parts) // a link that is drawn anew would lose the focus
    line.title = words
    if (href) $("a", node).href = href
  }
  const profit = figures.account?.DailyPnL
  tellTab({ today: typeof profit === "number" ? cash(profit) : "" })
}

function tick() {
  draw()
  if (dayOf(now()) !== day) soon()
}

async function refresh() {
  timer = null
  if (document.hidden) return
  const today = dayOf(now())
  askedAt = Date.now()
  seen = 0
  try {
    figures = await get(`/v3/figures?since=${encodeURIComponent(startOf(today))}`)
    day = today
    draw()
  } catch { /* the light shows that the server is away; the next change asks again */ }
}

function soon() {
  seen += 1
  const gap = seen > 40 ? 10000 : 2000
  timer ??= setTimeout(refresh, Math.max(150, askedAt + gap - Date.now()) * (1 + Math.random() / 4))
}

export function mountStrip() {
  on("signal", soon)
  on("position", soon)
  on("resync", soon)
  on("state", ({ lostAt }) => { if (lostAt) away = true; else if (away) { away = false; soon() } })
  on("account", ({ account }, verb) => {
    if (verb === "deleted") return soon()
    if (account.rowid >= (figures.account?.rowid ?? 0)) figures.account = account
    draw()
  })
  on("bridge", state => { bridge = { ...bridge, ...state }; draw() })
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh() })
  setInterval(tick, 1000)
  draw()
}
