// The few things said about the DOM all over the pages. Text goes in as text, never as markup.
export const $ = (selector, root = document) => root.querySelector(selector)
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)]

export const clone = id => document.getElementById(id).content.firstElementChild.cloneNode(true)

export function put(node, text) {
  const words = text == null ? "" : String(text)
  if (node.textContent !== words) node.textContent = words
}

export function flag(node, name, value) {
  if (value === false || value == null) node.removeAttribute(name)
  else node.setAttribute(name, value === true ? "" : value)
}

// Fills the [data-show] elements below `root`.
export function show(root, values) {
  for (const [name, text] of Object.entries(values)) put($(`[data-show="${name}"]`, root), text)
}

export function el(tag, text, properties = {}) {
  const node = Object.assign(document.createElement(tag), properties)
  put(node, text)
  return node
}

export function later(work, wait) {
  let timer
  return (...given) => { clearTimeout(timer); timer = setTimeout(work, wait, ...given) }
}

export function remember(name, value) {
  try { localStorage.setItem(name, value) } catch { /* private windows may refuse; then it lasts for this page */ }
}
