// Stocks: the symbols a signal may name, and how orders for them are sent.
import { show } from "../dom.js"
import { needed, values } from "./forms.js"
import { Registry } from "./registry.js"

const fields = ["symbol", "sectype", "xch", "prixch", "currency", "order_type", "active"]

const kind = {
  noun: "stock", title: "Stock", topic: "stock", key: "symbol", flag: "active", rowId: "stock-row", fixed: ["symbol"],
  path: "/v3/regticker", onePath: "/v3/stock", listPath: "/v3/tickers/0", listKey: "tickers",
  check: given => "symbol" in given ? needed(given, ["symbol"]) : {},
  read: form => { const given = values(form); return { ...given, active: given.active ? 1 : 0 } },
  full: (record, changes) => ({ ...Object.fromEntries(fields.map(name => [name, record[name]])), ...changes }),
  nameOf: stock => stock.symbol,
  consequence: () => "Its signals stay. New signals of this stock will be stored as errors.",
  show: (tr, { sectype, xch, prixch, currency, order_type }) => show(tr, { sectype, xch, prixch, currency, order_type }),
}

export function mount(section) {
  const registry = new Registry(section, kind)
  registry.load()
  return { shown: () => registry.load() }
}
