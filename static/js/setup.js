// The setup page. It shows the section that the URL's fragment names, and loads its module the first time.
import "./frame.js"
import { countRejected, mountRejected, mountTemplate } from "./alerts.js"
import { load, missing } from "./dialogs.js"
import { $, $$, el, flag, later, page } from "./dom.js"
import { on } from "./live.js"

const sections = {
  registry: async () => (await load(() => import("./registry.js"))).mount,
  simulator: async () => (await load(() => import("./simulator.js"))).mount,
  template: async () => mountTemplate,
  bridge: async () => (await load(() => import("./bridge.js"))).mount,
  rejected: async () => mountRejected,
  limits: async () => (await load(() => import("./limits.js"))).mount,
  account: async () => (await load(() => import("./account.js"))).mount,
  ...$("#alarms") && { alarms: async () => (await load(() => import("./bridge.js"))).mountAlarms },
  ...$("#users") && { users: async () => (await load(() => import("./users.js"))).mount },
}
const earlier = { pairs: "registry", stocks: "registry" }  // fragments of older links
const mounted = new Map()
let chosen

// Loads and mounts a section. If that fails, the section says why, and is loaded anew when the reader comes back to it.
async function mount(name) {
  const section = $(`#${name}`)
  $(".unloaded", section)?.remove()
  try {
    return (await sections[name]())(section)
  } catch (problem) {
    mounted.delete(name)
    const place = el("p", `${problem.message} `, { className: "problem unloaded", role: "alert" })
    place.append(el("button", "Reload", { type: "button", onclick: () => location.reload() }))
    $("h2", section).closest("section > *").after(place)
  }
}

async function show() {
  const wanted = earlier[location.hash.slice(1)] ?? location.hash.slice(1)
  const name = Object.hasOwn(sections, wanted) ? wanted : "registry"
  chosen = name
  for (const section of $$(".setup > section")) section.hidden = section.id !== name || !mounted.has(name)
  for (const link of $$(".sections a")) flag(link, "aria-current", link.hash === `#${name}` ? "true" : null)
  const nav = $(".sections")
  const link = $("[aria-current]", nav)
  nav.scrollLeft = link.offsetLeft - (nav.clientWidth - link.offsetWidth) / 2
  $("#main").scrollTop = 0
  if (mounted.has(name)) return (await mounted.get(name))?.shown?.()
  mounted.set(name, mount(name))
  await mounted.get(name)
  // Its forms work only from now on.
  if (chosen === name) $(`#${name}`).hidden = false
}

const signal = new URLSearchParams(location.search).get("signal")
if (signal) location.replace(`/dashboard?signal=${encodeURIComponent(signal)}`)  // signals are edited in their panel
else {
  addEventListener("hashchange", show)
  on("rejected", later(countRejected, 500))
  on("resync", countRejected)
  show()
  countRejected()
  if (page.start) load(() => import("./start.js")).catch(missing)
}
