// "Load older": a page at a time, and by itself near the end once it was asked for.
import { get } from "./api.js"
import { $, flag } from "./dom.js"

const page = 200

export class Older {
  constructor({ query, take, trouble }) {
    Object.assign(this, { query, take, trouble, button: $("#older"), asked: false, busy: false, oldest: 0 })
    this.button?.addEventListener("click", () => { this.asked = true; this.load() })
  }

  // The reader comes near the last row.
  near() { if (this.asked) this.load() }

  // After a first page of `limit`: is there more behind it?
  reset(records, limit) {
    this.oldest = records.at(-1)?.rowid ?? 0
    this.more = records.length >= limit
    this.draw()
  }

  draw() {
    if (!this.button) return
    this.button.hidden = !this.more
    flag(this.button, "aria-busy", this.busy ? "true" : null)
  }

  async load() {
    if (this.busy || !this.more || !this.button) return
    this.busy = true
    this.draw()
    const query = this.query()
    query.set("before", this.oldest)
    query.set("limit", page)
    try {
      const { signals } = await get(`/v3/signals/${page}?${query}`)
      this.busy = false
      if (String(this.query()) === wanted(query)) {
        this.reset(signals.length ? signals : [{ rowid: this.oldest }], signals.length ? page : 2)
        this.take(signals)
      }
      this.trouble(null)
    } catch (problem) {
      this.asked = false
      this.trouble(problem)
    } finally {
      this.busy = false
      this.draw()
    }
  }
}

function wanted(query) {
  query.delete("before")
  query.delete("limit")
  return String(query)
}
