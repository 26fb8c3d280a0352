// The colours of the theme in a form that the library can read, and a notice when the theme changes.
import { $ } from "../dom.js"

const root = document.documentElement
const tokens = ["page", "line", "edge", "text", "muted", "accent", "mark", "favour", "against", "violet-ink"]
const probe = root.appendChild(document.createElement("i"))
probe.hidden = true

// color-mix converts any colour to sRGB numbers; values outside sRGB are clipped.
function rgb(token) {
  probe.style.color = `color-mix(in srgb, var(--${token}) 100%, transparent 0%)`
  const numbers = getComputedStyle(probe).color.match(/[\d.e-]+/g).slice(-3)
  return numbers.map(each => Math.round(255 * Math.min(1, Math.max(0, each))))
}

export function colours() {
  const found = {}
  for (const token of tokens) found[token] = `rgb(${rgb(token).join(", ")})`
  return found
}

export const faint = (colour, share) => colour.replace("rgb(", "rgba(").replace(")", `, ${share})`)
export const font = () => getComputedStyle($("body")).fontFamily

export function onTheme(changed) {
  new MutationObserver(changed).observe(root, { attributes: true, attributeFilter: ["data-theme"] })
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed)
}
