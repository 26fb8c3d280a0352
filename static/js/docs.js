// The API's document in its viewer, which is loaded after all else of the page and shown when it is whole.
// Requests that are tried there carry the XSRF token of this page.
import { $, put } from "./dom.js"

const viewer = $("#viewer")
const root = document.documentElement
const system = matchMedia("(prefers-color-scheme: dark)")
const token = $("meta[name=xsrf-token]").content

function theme() {
  const chosen = root.dataset.theme
  root.classList.toggle("dark-mode", chosen ? chosen === "dark" : system.matches)
}

function sign(request) {
  if (new URL(request.url, location.href).origin === location.origin) request.headers["X-XSRFToken"] = token
  return request
}

theme()
system.addEventListener("change", theme)
new MutationObserver(theme).observe(root, { attributeFilter: ["data-theme"] })

const add = (kind, given) => new Promise((resolve, reject) => {
  document.head.append(Object.assign(document.createElement(kind), given, { onload: resolve, onerror: reject }))
})

// The page must have only one main element, so the viewer's becomes a group.
function show() {
  viewer.querySelector("main")?.setAttribute("role", "group")
  const below = $("#websocket"), top = below.getBoundingClientRect().top
  viewer.removeAttribute("data-waits")
  $("#viewer-waits").remove()
  // Whoever reads what stands below the viewer goes on reading.
  if (top < innerHeight) $("main").scrollTop += below.getBoundingClientRect().top - top
}

async function load() {
  const { script, style } = viewer.dataset
  await Promise.all([add("script", { src: script }), add("link", { rel: "stylesheet", href: style })])
  viewer.dataset.waits = ""
  window.SwaggerUIBundle({
    domNode: viewer,
    url: viewer.dataset.document,
    requestInterceptor: sign,
    docExpansion: "list",
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
    filter: true,
    tryItOutEnabled: true,
    validatorUrl: null,
    onComplete: () => requestAnimationFrame(show),
  })
}

const begin = () => load().catch(() => put($("#viewer-waits"), "The viewer could not be loaded. Reload the page."))
if (document.readyState === "complete") begin()
else addEventListener("load", begin)
