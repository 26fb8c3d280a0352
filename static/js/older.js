// "Load older" loads one page. After the first click, the next pages are loaded when the reader comes near the end.
import { get } from "./api.js"
import { $, flag } from "./dom.js"

const page = 200

export class Older {
  constructor({ query, take, say }) {
    Object.assign(this, { query, take, say, button: $("#older"), oldest: 0 })
    this.button?.addEventListener("click", () => { this.asked = true; this.load() })
  }

  // Called when the reader comes near the last row.
  near() { if (this.asked) this.load() }

  // Called after the first page; if it has `limit` records, there may be older ones.
  reset(records, limit) {
    this.oldest = records.at(-1)?.rowid ?? this.oldest
    this.more = records.length >= limit
    flag(this.button, "hidden", !this.more)
  }

  async load() {
    if (this.busy || !this.more || !this.button) return
    this.busy = true
    const query = String(this.query())
    try {
      const { signals } = await get(`/v3/signals/${page}?before=${this.oldest}&limit=${page}&${query}`)
      if (query === String(this.query())) {
        this.reset(signals, page)
        this.take(signals)
      }
      this.say(null)
    } catch (problem) {
      this.asked = false
      this.say(problem)
    }
    this.busy = false
  }
}
