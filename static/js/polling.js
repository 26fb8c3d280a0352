// For hosts that keep no websocket open: the page asks for news every few seconds, and the light shows that it polls.
import { get } from "./api.js"
import { setNow } from "./format.js"
import { emit } from "./live.js"
import { sessionLives } from "./session.js"

const pause = 5000
let line, timer, lostAt = 0
export let works = false

export function start(given) {
  if (line) return
  line = given
  ask()
}

export function stop() {
  clearTimeout(timer)
  line = null
  works = false
}

async function ask() {
  const mine = line
  try {
    const answer = await get(`/ws/signals?after=${mine.last()}`)
    if (mine !== line) return
    take(answer)
  } catch (problem) {
    if (mine !== line) return
    if (problem.status === 401) return sessionLives(4401)
    if (!works) return stop() // the server is away; the status light shows it
    lostAt ||= Date.now()
    emit("state", { lostAt })
  }
  timer = setTimeout(ask, pause)
}

function take({ event, server_time, assets, messages }) {
  setNow(server_time)
  if (!works || lostAt) emit("hello", { assets })
  works = true
  lostAt = 0
  emit("state", { state: "polling", lostAt, text: "Polling every 5 s" })
  for (const message of messages) line.take(message.type === "resync" ? { ...message, event } : message)
  line.take({ type: "asked", event })
  emit("alarms", {}) // alarms make no events, so the page must ask for them
}
