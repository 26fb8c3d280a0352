// Theme and row height: chosen once, remembered, applied before the first paint by theme.js.
import { $ } from "./dom.js"

const root = document.documentElement.dataset

for (const name of ["theme", "density"]) {
  const select = $(`#${name}`)
  if (!select) continue
  select.value = root[name]
  select.addEventListener("change", () => {
    root[name] = select.value
    try { localStorage.setItem(name, select.value) } catch { /* private windows may refuse; then it lasts for this page */ }
  })
}
