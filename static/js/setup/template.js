// The alert's text for TradingView, its passphrase masked until asked for.
import { get, tell } from "../api.js"
import { toast } from "../dialogs.js"
import { $, $$, put } from "../dom.js"
import { mountPassphrases } from "./passphrases.js"

const button = $("#reveal")
let shown = false

async function load() {
  try {
    const { template, webhook_url } = await get(`/v3/template${shown ? "?reveal=1" : ""}`)
    put($("#template-text"), template)
    put($("#webhook-url"), webhook_url)
    put(button, shown ? "Hide passphrase" : "Show passphrase")
    button.setAttribute("aria-pressed", shown)
    tell($("#template .problem"), null)
  } catch (problem) { tell($("#template .problem"), problem) }
}

// The message is copied with the real passphrase: a masked one would only fail at the webhook.
async function copy(source) {
  const node = document.getElementById(source)
  try {
    const text = source === "template-text" ? (await get("/v3/template?reveal=1")).template : node.textContent
    await navigator.clipboard.writeText(text)
    toast(source === "template-text" ? "The message is copied, with the passphrase in it." : "The URL is copied.")
  } catch {
    getSelection().selectAllChildren(node)
    toast("The browser does not let pages copy here. The text is selected: press Ctrl+C.")
  }
}

export function mount(section) {
  button.addEventListener("click", () => { shown = !shown; load() })
  for (const one of $$("[data-copy]", section)) one.addEventListener("click", () => copy(one.dataset.copy))
  if ("admin" in document.body.dataset) mountPassphrases(section)
  load()
}
