// A list of the API that stays up to date: it is loaded once, and then each pushed record is put in its place.
import { get } from "../api.js"

const visitor = !document.body.dataset.user

export class Records {
  constructor(most) {
    Object.assign(this, { most, rows: new Map(), turn: 0, missed: null })
  }

  // Loads the list, then applies the records that were pushed during the load. Returns false if a later load has begun.
  async load(path) {
    const turn = ++this.turn
    const missed = this.missed = []
    let answer, problem
    try { answer = await get(path) } catch (trouble) { problem = trouble }
    if (turn !== this.turn) return false
    this.missed = null
    if (answer) {
      if (visitor) this.most = answer.notoken_limit ?? 5
      this.rows = new Map(answer.signals.map(record => [record.rowid, record]))
    }
    for (const change of missed) this.apply(...change)
    if (problem) throw problem
    return true
  }

  receive(record, verb) {
    if (this.missed) this.missed.push([record, verb])
    else this.apply(record, verb)
  }

  apply(record, verb) {
    if (verb === "deleted") this.rows.delete(record.rowid)
    else this.rows.set(record.rowid, record)
    if (this.rows.size > this.most) this.rows.delete(Math.min(...this.rows.keys()))
  }
}
