// What the server pushes, handed to those who asked for it.
import { setNow } from "./clock.js"
import { sessionLives } from "./session.js"
import { stay } from "./socket.js"

const listeners = new Map()
let last = +document.body.dataset.event || 0

export function on(topic, listener) {
  listeners.set(topic, [...listeners.get(topic) ?? [], listener])
}

function tell(topic, ...given) {
  for (const listener of listeners.get(topic) ?? []) listener(...given)
}

function receive(message) {
  const [topic, verb] = message.type.split(".")
  if (topic === "hello") setNow(message.server_time)
  if (topic === "resync") last = Math.max(last, message.event ?? greeted)
  if (topic === "hello") greeted = message.event
  else if (message.event) last = Math.max(last, message.event)
  tell(topic, message, verb)
}
let greeted = last

export function start() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:"
  stay({
    url: () => `${scheme}//${location.host}/ws/signals?after=${last}`,
    onMessage: receive,
    onState: state => tell("state", state),
    mayReturn: sessionLives,
  })
}
