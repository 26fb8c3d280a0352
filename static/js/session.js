// The login session: warns before it ends, extends it, and leaves the page when it is over.
import { get, loginUrl, call } from "./api.js"
import { hour, now, parse } from "./clock.js"
import { $, put } from "./dom.js"
import { toast } from "./dialogs.js"

const body = document.body.dataset
const warning = 120000

const leave = () => location.replace(loginUrl())

// After a lost connection: false when the session is over, true when it lives or nobody can tell.
export async function sessionLives(code) {
  if (!body.user) return true
  if (code === 4401) { leave(); return false }
  try { take(await get("/v3/session")) } catch (problem) {
    if (problem.status === 401) { leave(); return false }
  }
  return true
}

function take(session) {
  if (session?.expires) body.expires = session.expires
  draw()
}

function draw() {
  if (!body.expires) return
  const end = parse(body.expires)
  const bar = $("#expiry")
  put($("#session-end"), hour(end))
  put($("p", bar), `Your session ends at ${hour(end)}.`)
  $("button", bar).hidden = !("extendable" in body)
  bar.hidden = end - now() >= warning
}

function check() {
  draw()
  if (body.expires && now() >= parse(body.expires)) sessionLives()
}

async function extend() {
  try {
    take(await call("POST", "/v3/session"))
  } catch (problem) { toast(problem.message) }
}

export function mountSession() {
  if (!body.user) return
  $("button", $("#expiry")).addEventListener("click", extend)
  setInterval(check, 5000)
  draw()
}
