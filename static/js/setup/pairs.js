// Pairs: two tickers and a hedge ratio.
import { put, show } from "../dom.js"
import { number } from "../format.js"
import { needed, positive, values } from "./forms.js"
import { Registry } from "./registry.js"

const numbers = ["hedge"]

function check(given) {
  const faults = { ...positive(given, numbers), ...needed(given, ["hedge", ..."ticker1" in given ? ["ticker1", "ticker2"] : []]) }
  for (const leg of ["ticker1", "ticker2"]) {
    if (given[leg]?.includes("-")) faults[leg] = "A ticker cannot have a minus sign: it joins the two."
  }
  if (given.ticker1 && given.ticker1 === given.ticker2) faults.ticker2 = "The two tickers must differ."
  return faults
}

const kind = {
  noun: "pair", title: "Pair", topic: "pair", key: "name", flag: "status", rowId: "pair-row", fixed: ["ticker1", "ticker2"],
  path: "/v3/regpair", onePath: "/v3/pair", listPath: "/v3/pairs/0", listKey: "pairs", check,
  read: form => { const given = values(form, numbers); return { ...given, status: given.status ? 1 : 0 } },
  full: (record, changes) => ({ name: record.name, ...changes }),
  nameOf: pair => pair.name ?? `${pair.ticker1}-${pair.ticker2}`,
  consequence: () => "Its signals stay. New signals of this pair will be stored as errors.",
  show: (tr, pair) => { show(tr, { hedge: number(pair.hedge), notes: pair.notes }); put(tr.querySelector("th a"), pair.name) },
}

export function mount(section) {
  const registry = new Registry(section, kind)
  registry.load()
  return { shown: () => registry.load() }
}
