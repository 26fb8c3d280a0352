// Runs before the first paint, so that neither theme nor row height changes under the reader's eyes.
(() => {
  const root = document.documentElement
  for (const name of ["theme", "density"]) {
    try { root.dataset[name] = localStorage.getItem(name) || "" } catch { root.dataset[name] = "" }
  }
})()
