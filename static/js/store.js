// The signals that this page has loaded: by rowid, and in the order of the table.
export class Store {
  constructor(order, matches, cap = Infinity) {
    Object.assign(this, { order, matches, cap, rows: new Map(), view: [] })
  }

  get(rowid) { return this.rows.get(rowid) }

  // The index that the record has, or would have, in the view.
  place(record) {
    let low = 0, high = this.view.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.order(this.view[middle], record) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  put(record) {
    this.remove(record.rowid)
    if (!this.matches(record)) return false
    this.rows.set(record.rowid, record)
    this.view.splice(this.place(record), 0, record)
    while (this.view.length > this.cap) this.rows.delete(this.view.pop().rowid)
    return this.rows.has(record.rowid)
  }

  remove(rowid) {
    const old = this.rows.get(rowid)
    if (!old) return
    this.view.splice(this.place(old), 1)
    this.rows.delete(rowid)
  }

  replace(records) {
    this.rows.clear()
    this.view = []
    this.add(records)
  }

  add(records) {
    const tail = this.view.at(-1)
    for (const record of records) this.rows.set(record.rowid, record)
    const fresh = records.filter(record => !tail || this.order(tail, record) < 0)
    if (fresh.length === records.length) this.view.push(...records.toSorted(this.order))
    else this.view = [...this.rows.values()].sort(this.order)
  }

  sort(order) {
    this.order = order
    this.view.sort(order)
  }
}
