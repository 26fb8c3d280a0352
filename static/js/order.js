// The sort orders of the table. Missing values are last in both directions; of equal values the newest is first.
import { name } from "./status.js"

const value = {
  row: s => s.rowid, time: s => s.timestamp, ticker: s => name(s).toLowerCase(), comment: s => s.order_comment?.toLowerCase(),
  action: s => s.order_action, quantity: s => s.order_contracts, price: s => s.order_price, status: s => s.order_status,
  fill: s => s.fill_price, slip: s => s.slip,
}

export const sortable = key => Object.hasOwn(value, key)

export function order(key, descending) {
  const of = value[key]
  const sign = descending ? -1 : 1
  return (a, b) => {
    const x = of(a) ?? null, y = of(b) ?? null
    if (x !== y) {
      if (x === null) return 1
      if (y === null) return -1
      return x < y ? -sign : sign
    }
    return b.rowid - a.rowid
  }
}
