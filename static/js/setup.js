// The setup page. It shows the section that the URL's fragment names, and loads its module the first time.
import "./frame.js"
import { $, $$, flag } from "./dom.js"
import { countRejected } from "./setup/badge.js"

const modules = {
  simulator: () => import("./setup/simulator.js"), pairs: () => import("./setup/pairs.js"), stocks: () => import("./setup/stocks.js"),
  signals: () => import("./setup/signals.js"), rejected: () => import("./setup/rejected.js"),
  template: () => import("./setup/template.js"), account: () => import("./setup/account.js"),
  ...$("#alarms") && { alarms: () => import("./setup/alarms.js") },
  ...$("#users") && { users: () => import("./setup/users.js") },
}
const mounted = new Map()

async function show() {
  const name = Object.hasOwn(modules, location.hash.slice(1)) ? location.hash.slice(1) : "simulator"
  for (const section of $$(".setup > section")) section.hidden = section.id !== name
  for (const link of $$(".sections a")) flag(link, "aria-current", link.hash === `#${name}` ? "true" : null)
  $(`.sections a[href="#${name}"]`).scrollIntoView({ block: "nearest", inline: "nearest" })
  $("#main").scrollTop = 0
  if (!mounted.has(name)) mounted.set(name, modules[name]().then(module => module.mount($(`#${name}`))))
  else (await mounted.get(name))?.shown?.()
}

addEventListener("hashchange", show)
show()
countRejected()
