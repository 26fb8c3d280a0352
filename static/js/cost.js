// The cost of slippage: money in each currency, with basis points. templates/macros/cost.html does the same on the server.
import { el, flag } from "./dom.js"
import { favour, money, signed } from "./format.js"

function one([code, { money: sum, bp }]) {
  const span = el("span", money(sum, code))
  flag(span, "data-favour", favour(sum))
  if (typeof bp === "number") span.append(" ", el("small", `${signed(bp, "", 1)} bp`))
  return span
}

export const cost = (place, slippage) => place.replaceChildren(...Object.entries(slippage).flatMap(each => [one(each), " "]))
