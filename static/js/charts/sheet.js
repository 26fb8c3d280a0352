// The figures of a chart as a table, the newest first.
import { $, flag, put } from "../dom.js"

export function drawSheet(root, rows) {
  const blank = $("template", root).content.firstElementChild
  $("tbody", root).replaceChildren(...rows.toReversed().map(({ texts, favours }) => {
    const tr = blank.cloneNode(true)
    for (const td of tr.cells) {
      put(td, texts[td.dataset.key])
      flag(td, "data-favour", favours[td.dataset.key])
    }
    return tr
  }))
}
