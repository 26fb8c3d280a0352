// What the server pushes, handed to those who asked for its topic.
const listeners = new Map()

export function on(topic, listener) {
  listeners.set(topic, [...listeners.get(topic) ?? [], listener])
}

export function emit(topic, ...given) {
  for (const listener of listeners.get(topic) ?? []) listener(...given)
}
