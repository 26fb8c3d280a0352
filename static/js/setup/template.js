// The text of an alert for TradingView. The passphrase is masked until the reader asks for it.
import { get, tell } from "../api.js"
import { $, $$, put } from "../dom.js"
import { copy } from "./copy.js"
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

// Copies the message with the real passphrase, because the webhook would refuse a masked one.
async function copyPart(source) {
  const node = document.getElementById(source)
  if (source !== "template-text") return copy(node.textContent, node, "The URL is copied.")
  try {
    copy((await get("/v3/template?reveal=1")).template, node, "The message is copied, with the passphrase in it.")
  } catch (problem) { tell($("#template .problem"), problem) }
}

export function mount(section) {
  button.addEventListener("click", () => { shown = !shown; load() })
  for (const one of $$("[data-copy]", section)) one.addEventListener("click", () => copyPart(one.dataset.copy))
  if ("admin" in document.body.dataset) mountPassphrases(section)
  load()
}
