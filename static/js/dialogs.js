// Questions before something is deleted, short notices, some with an undo, copying, texts that are shown once, and what is loaded late.
import { reason } from "./api.js"
import { $, clone, put } from "./dom.js"

const most = 3  // notices at once; the oldest goes first, but one that stays until it is answered

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
  const place = $("#toasts")
  const notice = clone("toast")
  const button = $("button", notice)
  put($("p", notice), text)
  put(button, verb ?? "Close")
  button.addEventListener("click", () => { notice.remove(); act?.() })
  notice.classList.toggle("stays", stay === Infinity)
  place.append(notice)
  if (place.children.length > most) ($(".notice:not(.stays)", place) ?? place.firstElementChild).remove()
  if (stay < Infinity) setTimeout(() => notice.remove(), stay)
}

// Loads a module once it is needed, as in `load(() => import("./edit.js"))`. A server of a newer version does not have this page's files.
export async function load(part) {
  try {
    return await part()
  } catch (cause) {
    const answers = await fetch(import.meta.url, { cache: "no-store" }).then(() => true, () => false)
    const message = answers ? "A newer version is installed. Reload the page." : "The server did not answer. Check the connection and reload the page."
    throw Object.assign(new Error(message, { cause }), { outdated: answers })
  }
}

// Says that a part of the page could not be loaded.
export const missing = problem => toast(problem.message, "Reload", () => location.reload(), Infinity)

const states = { // of a ticker: what is so, and what was not done
  true: ["is active", "activated"], false: ["is paused", "paused"],
  on: ["trades every alert", "set to trade every alert"], exits: ["trades exits only", "set to exits only"],
}

// Brings what `named` says from one state to another, by `set(state)`, and offers to undo it.
export async function turn(named, from, to, set, undo = true) {
  const [is, not] = states[to]
  try {
    await set(to)
    toast(`${named} ${is}.`, ...undo && states[from] ? ["Undo", () => turn(named, to, from, set, false)] : [])
  } catch (problem) { toast(`${named} was not ${not}. ${reason(problem)}`) }
}

// Copies a text. If the browser does not allow it, the text is selected, so that the reader can copy it.
export async function copy(text, node, said) {
  try {
    await navigator.clipboard.writeText(text)
    toast(said)
  } catch {
    getSelection().selectAllChildren(node)
    toast("The browser does not let pages copy here. The text is selected: press Ctrl+C.")
  }
}

// A button that shows and masks the `secret` in a text: calls `load(revealed)` now, for the masked text, and whenever it is pressed.
export function mountReveal(button, secret, load) {
  let revealed = false
  button.addEventListener("click", () => {
    revealed = !revealed
    put(button, `${revealed ? "Hide" : "Show"} ${secret}`)
    button.setAttribute("aria-pressed", revealed)
    load(revealed)
  })
  load(false)
}

// A box with a secret that the server shows once. Returns what shows a text in it; the box stays until the reader has kept the text.
export function mountOnce(id, said) {
  const box = $(`#${id}-made`)
  const text = $("pre", box)
  const write = secret => {
    put(text, secret)
    box.hidden = !secret
    if (secret) text.focus()
  }
  $("[data-act=copy]", box).addEventListener("click", () => copy(text.textContent, text, said))
  $("[data-act=kept]", box).addEventListener("click", () => write(""))
  return write
}
