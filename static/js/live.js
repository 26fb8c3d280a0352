// The page's websocket. After a loss it connects again, after a growing random pause, and continues after the last event it saw.
// If no socket ever stays open, polling.js asks for the same messages.
// Each message goes to the functions that listen to its topic.
import { load } from "./dialogs.js"
import { page } from "./dom.js"
import { setNow } from "./format.js"
import { sessionLives } from "./session.js"

const listeners = new Map()

export function on(topic, listener) {
  listeners.set(topic, [...listeners.get(topic) ?? [], listener])
}

export function emit(topic, ...given) {
  for (const listener of listeners.get(topic) ?? []) listener(...given)
}

const longest = 30000
const silence = 25000
const steady = 10000
let last = page.event
let greeted, socket, timer, guard, held, polling, tries = 0, brief = 0, lostAt = 0, pings = false

const tell = state => { if (!polling?.works) emit("state", state) }

function take(message) {
  const [topic, verb] = message.type.split(".")
  if (topic === "hello") greet(message)
  else if (topic === "resync") last = message.event ?? greeted
  else if (message.event <= last) return
  else last = message.event ?? last
  emit(topic, message, verb)
}

function receive({ data }) {
  take(JSON.parse(data))
  watch()
}

function greet({ event, server_time, ping }) {
  greeted = event
  pings = ping
  tries = lostAt = 0
  setNow(server_time)
  tell({ state: "live", lostAt })
  held = setTimeout(settle, steady)
}

function settle() {
  brief = 0
  polling?.stop()
  emit("state", { state: "live", lostAt })
}

// Starts to poll: sockets are refused or lost again and again, although the server answers.
function help() {
  load(() => import("./polling.js")).then(found => {
    polling = found
    found.start({ take, last: () => last })
  }, problem => { if (problem.outdated) emit("outdated") })  // while the server is away, the next loss tries again
}

// A dead socket gives no sign, so after a silence the page asks the server.
function watch() {
  clearTimeout(guard)
  if (pings) guard = setTimeout(() => {
    socket.send('{"type":"ping"}')
    guard = setTimeout(lost, 10000)
  }, silence)
}

function open() {
  clearTimeout(timer)
  tell({ lostAt })
  const mine = socket = new WebSocket(`${location.origin.replace("http", "ws")}/ws/signals?after=${last}`)
  mine.onmessage = event => { if (mine === socket) receive(event) }
  mine.onclose = event => { if (mine === socket) lost(event) }
}

function hangUp() {
  for (const each of [guard, timer, held]) clearTimeout(each)
  const old = socket
  socket = null
  old?.close()
}

async function lost({ code } = {}) {
  hangUp()
  lostAt ||= Date.now()
  const wait = Math.min(longest, 1000 * 2 ** tries++) * (0.5 + Math.random() / 2)
  tell({ lostAt, until: Date.now() + wait })
  timer = setTimeout(open, wait)
  if (++brief > (greeted === undefined ? 1 : 5)) help()
  if (!await sessionLives(code)) clearTimeout(timer)
}

const retry = () => { if (!socket && !document.hidden) open() }

export function start() {
  addEventListener("online", retry)
  document.addEventListener("visibilitychange", retry)
  addEventListener("pagehide", hangUp)
  addEventListener("pageshow", event => { if (event.persisted) open() })
  open()
}
