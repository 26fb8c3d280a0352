// One websocket that stays: reconnects with back-off and jitter, and resumes after the last event it saw.
const longest = 30000
const silence = 25000

export function stay({ url, onMessage, onState, mayReturn }) {
  let socket, tries = 0, timer, guard, lostAt = 0

  function watch(pings) {
    clearTimeout(guard)
    if (!pings) return
    guard = setTimeout(() => {
      if (socket.readyState === WebSocket.OPEN) socket.send('{"type":"ping"}')
      guard = setTimeout(() => socket.close(), 10000)
    }, silence)
  }

  function open() {
    clearTimeout(timer)
    onState({ state: "connecting", lostAt })
    let pings = false
    const mine = socket = new WebSocket(url())
    mine.onmessage = ({ data }) => {
      const message = JSON.parse(data)
      if (message.type === "hello") {
        tries = lostAt = 0
        pings = message.ping === true
        onState({ state: "live" })
      }
      watch(pings)
      onMessage(message)
    }
    mine.onclose = ({ code }) => { if (mine === socket) lost(code) }
  }

  async function lost(code) {
    clearTimeout(guard)
    socket = null
    lostAt ||= Date.now()
    const wait = Math.min(longest, 1000 * 2 ** tries++) * (0.5 + Math.random() / 2)
    onState({ state: "waiting", lostAt, until: Date.now() + wait })
    timer = setTimeout(open, wait)
    if (!await mayReturn(code)) clearTimeout(timer)
  }

  const retry = () => { if (!socket) open() }
  addEventListener("online", retry)
  document.addEventListener("visibilitychange", () => { if (!document.hidden) retry() })
  addEventListener("pagehide", () => { const old = socket; socket = null; clearTimeout(timer); old?.close() })
  addEventListener("pageshow", event => { if (event.persisted) open() })
  open()
}
