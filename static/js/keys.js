// The keyboard: / search, j and k rows, Enter opens, Esc closes.
import { $ } from "./dom.js"

const typing = target => target.closest("input, select, textarea, [contenteditable]")

export function mountKeys({ move, close }) {
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return
    if (event.key === "Escape") {
      if (!typing(event.target)) return close()
      event.preventDefault() // a search field would lose its text
      event.target.blur()
    } else if (!typing(event.target)) act(event, move)
  })
}

function act(event, move) {
  const search = $("input[type=search]")
  if (event.key === "/" && search) search.select()
  else if (event.key === "j") move(1)
  else if (event.key === "k") move(-1)
  else return
  event.preventDefault()
}
