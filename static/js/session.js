// The login session: warns before it ends, extends it, and leaves the page when it is over.
import { call, get, loginUrl } from "./api.js"
import { $, page, put } from "./dom.js"
import { hour, now, parse } from "./format.js"

let session = page.session
const bar = $("#expiry")
const warning = 120000
let leaving = false

function leave() {
  if (!leaving) location.replace(loginUrl())
  leaving = true
  return false
}

// Called after the socket was lost: false if the session is over, true if it lasts or the server does not answer.
export async function sessionLives(code) {
  if (!page.user) return true
  if (code === 4401) return leave()
  try { draw(await get("/v3/session")) } catch (problem) {
    if (problem.status === 401) return leave()
  }
  return true
}

function draw({ expires }) {
  session = { ...session, expires }
  const end = parse(expires)
  put($("#session-end"), hour(end))
  $("#session-end").dateTime = new Date(end).toISOString()
  put($("p", bar), `Your session ends at ${hour(end)}.`)
  $("button", bar).hidden = !session.extendable
  bar.hidden = end - now() >= warning
}

function check() {
  draw(session)
  if (now() >= parse(session.expires)) sessionLives()
}

async function extend() {
  try { draw(await call("POST", "/v3/session")) } catch (problem) { put($("p", bar), problem.message) }
}

export function mountSession() {
  if (!session) return
  $("button", bar).addEventListener("click", extend)
  $("#logout").addEventListener("submit", () => { leaving = true })
  setInterval(check, 5000)
  draw(session)
}
