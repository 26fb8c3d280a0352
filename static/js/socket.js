// One websocket that stays: reconnects with back-off and jitter, and resumes after the last event it saw.
import { setNow } from "./clock.js"
import { emit } from "./live.js"
import { sessionLives } from "./session.js"

const longest = 30000
const silence = 25000
let last = +document.body.dataset.event
let greeted = last
let socket, timer, guard, tries = 0, lostAt = 0, pings = false

function receive({ data }) {
  const message = JSON.parse(data)
  const [topic, verb] = message.type.split(".")
  if (topic === "hello") greet(message)
  else last = Math.max(last, topic === "resync" ? greeted : message.event ?? 0)
  watch()
  emit(topic, message, verb)
}

function greet({ event, server_time, ping }) {
  greeted = event
  pings = ping
  tries = lostAt = 0
  setNow(server_time)
  emit("state", { state: "live", lostAt })
}

// A line that died without a word is found by asking.
function watch() {
  clearTimeout(guard)
  if (pings) guard = setTimeout(() => {
    socket.send('{"type":"ping"}')
    guard = setTimeout(lost, 10000)
  }, silence)
}

function open() {
  clearTimeout(timer)
  emit("state", { lostAt })
  const mine = socket = new WebSocket(`${location.origin.replace("http", "ws")}/ws/signals?after=${last}`)
  mine.onmessage = event => { if (mine === socket) receive(event) }
  mine.onclose = event => { if (mine === socket) lost(event) }
}

function hangUp() {
  clearTimeout(guard)
  clearTimeout(timer)
  const old = socket
  socket = null
  old?.close()
}

async function lost({ code } = {}) {
  hangUp()
  lostAt ||= Date.now()
  const wait = Math.min(longest, 1000 * 2 ** tries++) * (0.5 + Math.random() / 2)
  emit("state", { lostAt, until: Date.now() + wait })
  timer = setTimeout(open, wait)
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
