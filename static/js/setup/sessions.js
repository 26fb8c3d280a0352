// The user's own sessions, which can be ended one by one, or all others at once.
import { call, get, tell } from "../api.js"
import { exact } from "../clock.js"
import { confirm, toast } from "../dialogs.js"
import { $, clone, show } from "../dom.js"
import { plural } from "../format.js"

const problem = trouble => tell($("#sessions-problem"), trouble)
export const browserOf = ({ browser }) => browser || "Unknown program"

async function end(session) {
  const question = session.current ? "It is the one you use now: you will be logged out." : "Whoever uses it must log in again."
  if (!await confirm(`End the session of ${browserOf(session)}?`, question, "End session")) return
  try {
    await call("DELETE", `/v3/session/${encodeURIComponent(session.id)}`)
    load()
  } catch (trouble) { problem(trouble) }
}

function row(session) {
  const { address, created, last_seen, current } = session
  const tr = clone("own-session-row")
  tr.dataset.session = session.id
  show(tr, { browser: browserOf(session), current: current ? "this session" : "", address, created: exact(created), seen: last_seen ? exact(last_seen) : "never" })
  const button = $("button", tr)
  button.setAttribute("aria-label", `End the session of ${browserOf(session)} since ${exact(created)}`)
  button.addEventListener("click", () => end(session))
  return tr
}

async function load() {
  try {
    const { sessions } = await get("/v3/sessions")
    $("#sessions-table tbody").replaceChildren(...sessions.map(row))
    $("#sessions-end").hidden = sessions.length < 2
    problem(null)
  } catch (trouble) { problem(trouble) }
}

async function endOthers() {
  if (!await confirm("End all other sessions?", "Whoever uses them must log in again.", "End sessions")) return
  try {
    const { ended } = await call("DELETE", "/v3/sessions")
    toast(`${plural(ended, "session")} ended.`)
    load()
  } catch (trouble) { problem(trouble) }
}

export function mountSessions() {
  $("#sessions-end").addEventListener("click", endOthers)
  return load
}
