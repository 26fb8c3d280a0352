// Calls of the REST interface, and the words for what went wrong.
import { el, page, put } from "./dom.js"

class Problem extends Error {
  constructor(status, message, fields = {}) {
    super(message)
    Object.assign(this, { status, fields })
  }
}

const here = () => encodeURIComponent(location.pathname + location.search + location.hash)
export const loginUrl = () => `/login?next=${here()}`

function problem(response, answer) {
  const said = answer?.message ?? answer?.error
  const wait = response.headers.get("Retry-After")
  if (response.status === 429) return new Problem(429, `Too many attempts. Try again in ${wait ?? "a few"} seconds.`)
  if (response.status === 503) return new Problem(503, "The server cannot reach its storage; nothing was changed. Try again.")
  if (said && typeof said === "object") return new Problem(response.status, "Correct the marked fields.", said)
  return new Problem(response.status, said ? String(said) : `The server answered ${response.status}. Try again; if it stays, see its log.`)
}

export async function send(method, path, body) {
  const headers = { Accept: "application/json" }
  if (method !== "GET") headers["X-XSRFToken"] = document.querySelector("meta[name=xsrf-token]").content
  let response
  try {
    response = await fetch(path, { method, headers, cache: "no-store", body: body === undefined ? undefined : JSON.stringify(body) })
  } catch {
    throw new Problem(0, "The server did not answer. Check the connection and try again.")
  }
  const answer = await response.json().catch(() => null)
  return { response, answer }
}

export async function call(method, path, body) {
  const { response, answer } = await send(method, path, body)
  if (!response.ok) throw problem(response, answer)
  return answer
}

export const get = path => call("GET", path)

// Fills a list of suggestions with the names of pairs and tickers.
export async function suggest(list) {
  try {
    const [{ pairs }, { stocks }] = await Promise.all([get("/v3/pairs/0"), get("/v3/stocks/0")])
    const names = [...pairs.map(pair => pair.name), ...stocks.map(stock => stock.symbol)]
    list.replaceChildren(...names.slice(0, 2000).map(value => el("option", "", { value })))
  } catch { /* the reader can type the name */ }
}

// Lets the alerts of a registered pair or stock be traded.
export const activate = (name, pair) => pair
  ? call("PUT", "/v3/regpair", { name, status: 1 })
  : call("PUT", "/v3/regticker", { symbol: name, active: 1 })

// A problem in one line, with its fields.
export const reason = problem => Object.entries(problem.fields ?? {}).map(([name, why]) => `${name}: ${why}`).join(" ") || problem.message.trim()

// Writes the problem into `place`, with a link if the user must log in; null clears it.
export function tell(place, trouble) {
  place.hidden = !trouble
  put(place, trouble?.message)
  if (trouble?.status === 401 && page.page !== "login") place.append(" ", el("a", "Log in", { href: loginUrl() }))
}
