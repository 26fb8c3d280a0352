// What can be done about a pair or a single where it is held: pause it, let only its exits through, close it.
import { call, reason } from "./api.js"
import { confirm, toast, turn } from "./dialogs.js"
import { number } from "./format.js"

export const called = ({ name, symbol }) => name ?? symbol
const titled = ({ name, symbol }) => name ? `Pair ${name}` : symbol

// Changes what the registry says of it.
const register = ({ name, symbol }, fields) => call("PUT", name ? "/v3/regpair" : "/v3/regticker", { ...name ? { name } : { symbol }, ...fields })

// By the name of its button. `refresh` asks for the positions again, `learn` for the modes.
export const does = {
  turn: (record, { refresh }) => turn(titled(record), Boolean(record.active), !record.active, async active => {
    await register(record, { status: active ? 1 : 0 })
    refresh()
  }),
  exits: (record, { mode, learn }) => turn(titled(record), mode, mode === "exits" ? "on" : "exits", async mode => {
    await register(record, { mode })
    await learn()
  }),
  close,
}

// What closing it sends: the shares of leg 1, and as many of leg 2 as the registered ratio says; and what that leaves.
function sends({ name, hedge, symbol, active_pos, legs = [{ symbol, active_pos }] }, pairs) {
  const [first, second] = legs
  const size = Math.abs(first.active_pos)
  const [side, other] = first.active_pos > 0 ? ["Sell", "buy"] : ["Buy", "sell"]
  if (!second) return `${side} ${number(size)} ${first.symbol}.`
  const shares = pair => pair.name !== name && pair.mark !== "flat" && pair.legs.some(leg => legs.some(mine => mine.symbol === leg.symbol))
  const others = pairs.filter(shares).map(pair => pair.name)
  if (others.length) return `${side} what ${name} holds of ${first.symbol} and ${other} its part of ${second.symbol}; what is of ${others.join(", ")} stays.`
  const change = Math.floor(size * hedge)
  const left = second.active_pos + Math.sign(first.active_pos) * change
  return `${side} ${number(size)} ${first.symbol} and ${other} ${number(change)} ${second.symbol}.${left ? ` ${number(left)} ${second.symbol} will be left over.` : ""}`
}

const closing = new Map() // the id of each close that was not answered: sent again, it is the same order

async function close(record, { pairs, refresh }) {
  const name = called(record)
  const how = "The bridge takes it at once, at the price of then, with the order type that is registered. Modes and limits do not hold it back."
  if (!await confirm(`Close ${name}?`, `${sends(record, pairs)} ${how}`, `Close ${name}`)) return
  if (!closing.has(name)) closing.set(name, crypto.getRandomValues(new Uint32Array(4)).join("-")) // randomUUID is for https only
  try {
    const { rowid } = await call("POST", "/v3/order", { close: name, alert_id: closing.get(name) })
    closing.delete(name)
    toast(`${name} is being closed by signal ${rowid}.`, `Open signal ${rowid}`, () => location.assign(`/dashboard?signal=${rowid}`))
    refresh()
  } catch (problem) {
    if (problem.status >= 400 && problem.status < 500) closing.delete(name)
    toast(`${name} was not closed. ${reason(problem)}`)
  }
}
