// Hands each message that the server pushes to the functions that listen to its topic.
const listeners = new Map()

export function on(topic, listener) {
  listeners.set(topic, [...listeners.get(topic) ?? [], listener])
}

export function emit(topic, ...given) {
  for (const listener of listeners.get(topic) ?? []) listener(...given)
}
