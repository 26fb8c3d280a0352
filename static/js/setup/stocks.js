// Stocks: the symbols a signal may name, and how orders for them are sent.
import { show } from "../dom.js"
import { needed, values } from "./forms.js"
import { Registry } from "./registry.js"

const fields = ["symbol", "prixch", "secxch", "active"]

const kind = {
  noun: "stock", title: "Stock", topic: "stock", key: "symbol", flag: "active", rowId: "stock-row", fixed: ["symbol"],
  path: "/v3/regstock", onePath: "/v3/stock", listPath: "/v3/stocks/0", listKey: "stocks",
  check: given => "symbol" in given ? needed(given, ["symbol"]) : {},
  read: form => { const given = values(form); return { ...given, active: given.active ? 1 : 0 } },
  full: (record, changes) => ({ ...Object.fromEntries(fields.map(name => [name, record[name]])), ...changes }),
  nameOf: stock => stock.symbol,
  consequence: () => "Its signals stay. New signals of this stock will be stored as errors.",
  show: (tr, { prixch, secxch }) => show(tr, { prixch, secxch }),
}

export function mount(section) {
  const registry = new Registry(section, kind)
  registry.load()
  return { shown: () => registry.load() }
}
