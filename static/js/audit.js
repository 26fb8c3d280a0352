// The audit: who did what, from where, and who was refused.
import "./frame.js"
import { $, clone, el, flag, page, show } from "./dom.js"
import { clock, exact, number, startOfToday } from "./format.js"

const value = x => x === null ? "none" : String(x)

// "hedge: 3 → 2.5", each name and value kept apart from its neighbours' direction of writing.
function changed([name, [old, fresh]]) {
  const span = el("span")
  span.append(el("bdi", name), ": ", el("bdi", value(old)), " → ", el("bdi", value(fresh)))
  return span
}

function row({ id, time, what, who, address, subject, count, changes }) {
  const tr = clone("audit-row")
  tr.dataset.id = id
  flag(tr, "data-refused", what.startsWith("refused.") || ["login.failed", "login.code"].includes(what))
  show(tr, { who: who || "–", from: address || "several", what: page.kinds[what] ?? what, subject, count: count > 1 ? `${number(count)} times` : "" })
  const moment = $("time", tr)
  moment.textContent = clock(time, startOfToday())
  moment.title = exact(time)
  if (what.endsWith(".updated")) $(".changes", tr).append(...Object.entries(changes).flatMap((each, i) => i ? [", ", changed(each)] : [changed(each)]))
  return tr
}

$("#audit-table tbody").append(...page.audit.map(row))
$("#audit-table").hidden = !page.audit.length
$("#none").hidden = page.audit.length > 0
