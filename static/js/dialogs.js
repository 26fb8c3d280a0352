// Questions before something is deleted, and short notices, some with an undo.
import { $, clone, put } from "./dom.js"

export function confirm(title, text, verb) {
  const dialog = $("#confirm")
  put($("h2", dialog), title)
  put($("p", dialog), text)
  put($("[value=yes]", dialog), verb)
  dialog.returnValue = ""
  dialog.showModal()
  return new Promise(resolve => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true })
  })
}

export function toast(text, verb, act, stay = 10000) {
  const notice = clone("toast")
  const button = $("button", notice)
  put($("p", notice), text)
  put(button, verb ?? "Close")
  button.addEventListener("click", () => { notice.remove(); act?.() })
  $("#toasts").replaceChildren(notice)
  if (stay < Infinity) setTimeout(() => notice.remove(), stay)
}
