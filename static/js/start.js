// The checklist of the first start: its steps tick themselves. It is loaded as long as one of them is to be done.
import { passphrase } from "./alerts.js"
import { call, get, tell } from "./api.js"
import { seen, since, watch, willTrade } from "./bridge.js"
import { confirm, toast } from "./dialogs.js"
import { $, flag, later, page, show } from "./dom.js"
import { equation } from "./format.js"
import { on } from "./live.js"
import { mountRegister } from "./registry.js"

const root = $("#start")
let { ticker, alert } = page.start

// The smallest quantity of which both legs are traded.
const least = text => Math.ceil(Math.max(1, 1 / (/-([\d.]+)\*/.exec(text)?.[1] ?? 1)))

function draw() {
  const done = { login: Boolean(page.user), ticker: Boolean(ticker), alert, bridge: Boolean(seen()) }
  for (const [step, is] of Object.entries(done)) {
    const item = $(`[data-step="${step}"]`, root)
    flag(item, "data-done", is)
    const todo = $("[data-part=todo]", item)
    todo.hidden = is || (step !== "login" && !page.user)
  }
  const next = Object.keys(done).find(step => !done[step])
  for (const item of root.querySelectorAll("[data-step]")) flag(item, "aria-current", item.dataset.step === next ? "step" : null)
  show(root, {
    login: page.user ? `You are logged in as ${page.user}.` : "Then you may change things here.",
    ticker: ticker ? `${ticker} is active.` : "Only what is registered and active is traded.",
    alert: alert ? "An alert has arrived." : ticker ? `Buy ${least(ticker)} ${ticker}. ${willTrade()}` : "It shows that alerts arrive.",
    bridge: seen() ? `It polled ${since(seen())}.` : "PAIRS-IBKR takes waiting signals to the broker. Setup has its file ready to copy.",
  })
  $("#start-send").disabled = !ticker
  root.hidden = !next
}

async function send() {
  const contracts = least(ticker)
  if (page.mode === "production" && !await confirm("Send a real alert?", `Buy ${contracts} ${ticker}. ${willTrade()}`, "Send alert")) return
  const place = $("[data-step=alert] [data-part=todo] > .problem", root)
  try {
    const sent = {
      passphrase: await passphrase(), ticker, order_action: "buy", order_contracts: contracts, mar_pos: "long", mar_pos_size: contracts,
      pre_mar_pos: "flat", pre_mar_pos_size: 0, order_comment: "Test alert",
    }
    const { rowid, message } = await call("POST", "/v3/webhook", sent)
    tell(place, null)
    toast(message, `Open signal ${rowid}`, () => location.assign(`/dashboard?signal=${rowid}`))
  } catch (problem) { tell(place, problem) }
}

async function reload() {
  const { tickers } = await get("/v3/tickers/0")
  const { pairs } = await get("/v3/pairs/0")
  const pair = pairs.find(each => each.status)
  ticker = pair ? equation(pair) : tickers.find(each => each.active)?.symbol ?? null
  draw()
}

if (root) {
  mountRegister($("#start-register"), reload)
  $("#start-send").addEventListener("click", send)
  const ask = later(reload, 300)
  for (const topic of ["pair", "stock"]) on(topic, ask)
  on("signal", () => { alert = true; draw() })
  watch(draw)
}
