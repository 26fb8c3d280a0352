// The API's document in its viewer. Requests that are tried there carry the XSRF token of this page.
import { $ } from "./dom.js"

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
  // The page must have only one main element, so the viewer's becomes a group.
  onComplete: () => viewer.querySelector("main")?.setAttribute("role", "group"),
})
