// The height of rows, remembered.
import { $, remember } from "./dom.js"

export function mountDensity(changed) {
  const select = $("#density")
  const root = document.documentElement
  select.value = root.dataset.density
  select.addEventListener("change", () => {
    root.dataset.density = select.value
    remember("density", select.value)
    changed()
  })
}
