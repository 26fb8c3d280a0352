// Runs before the first paint, so that the reader never sees another theme or row height first.
(() => {
  const root = document.documentElement
  for (const name of ["theme", "density"]) {
    try { root.dataset[name] = localStorage.getItem(name) || "" } catch { root.dataset[name] = "" }
  }
})()
