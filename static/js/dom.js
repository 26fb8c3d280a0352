// Short names for what all pages do with the DOM, and the data that the page carries. Text is always inserted as text, never as markup.
export const $ = (selector, root = document) => root.querySelector(selector)
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)]

// What the server has written into the page: who is logged in, times, words, and the first records.
export const page = JSON.parse($("#page").textContent)

export const clone = id => document.getElementById(id).content.firstElementChild.cloneNode(true)

// A missing node is ignored, because not every page has every part.
export function put(node, text) {
  if (!node) return
  const words = text == null ? "" : String(text)
  if (node.textContent !== words) node.textContent = words
}

export function flag(node, name, value) {
  if (value === false || value == null) node?.removeAttribute(name)
  else node?.setAttribute(name, value === true ? "" : value)
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

// Gives `body` a row for each key, in this order: rows that are there stay, with their focus, `make(key)` makes new ones, others go.
// Returns the rows.
export function lay(body, name, keys, make) {
  const old = new Map([...body.rows].map(tr => [tr.dataset[name], tr]))
  let next = body.firstElementChild
  const rows = keys.map(String).map(key => {
    const tr = old.get(key) ?? make(key)
    old.delete(key)
    if (tr === next) next = next.nextElementSibling
    else body.insertBefore(tr, next)
    return tr
  })
  for (const tr of old.values()) tr.remove()
  return rows
}

// Writes parameters into the address of the page; an empty value removes a parameter.
export function address(values, { push, state = history.state } = {}) {
  const url = new URL(location)
  for (const [name, value] of Object.entries(values)) {
    if (value) url.searchParams.set(name, value)
    else url.searchParams.delete(name)
  }
  history[push ? "pushState" : "replaceState"](state, "", url)
}

export function later(work, wait) {
  let timer
  return (...given) => { clearTimeout(timer); timer = setTimeout(work, wait, ...given) }
}
