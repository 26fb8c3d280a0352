// Runs before the first paint, so that the reader never sees another theme or row height first, or what was dismissed.
(() => {
  const root = document.documentElement
  for (const name of ["theme", "density", "steps"]) {
    try { root.dataset[name] = localStorage.getItem(name) || "" } catch { root.dataset[name] = "" }
  }
})()
