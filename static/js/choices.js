// Theme and row height: the reader chooses them, the browser remembers them, and theme.js applies them before the first paint.
import { $ } from "./dom.js"

const root = document.documentElement.dataset

for (const name of ["theme", "density"]) {
  const select = $(`#${name}`)
  if (!select) continue
  select.value = root[name]
  select.addEventListener("change", () => {
    root[name] = select.value
    try { localStorage.setItem(name, select.value) } catch { /* a private window may refuse; then the choice holds for this page only */ }
  })
}
