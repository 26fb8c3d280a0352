// What pairs and stocks share: a table, a dialog, and a switch for on and off with an undo.
import { call, get, tell } from "../api.js"
import { confirm, toast } from "../dialogs.js"
import { $, clone, flag, later, put } from "../dom.js"
import { on } from "../live.js"
import { checkEach, clear, fillIn, onSubmit } from "./forms.js"

export class Registry {
  constructor(section, kind) {
    Object.assign(this, kind, { section, dialog: $("dialog", section), records: [] })
    this.form = $("form", this.dialog)
    $("[data-act=add]", section).addEventListener("click", () => this.edit(null))
    $("[data-act=cancel]", this.form).addEventListener("click", () => this.dialog.close())
    $("tbody", section).addEventListener("click", event => this.click(event))
    checkEach(this.form, record => this.check(record))
    onSubmit(this.form, () => this.check(this.read(this.form)), () => this.save())
    on(this.topic, later(() => this.load(), 300))
    on("resync", () => this.load())
  }

  problem(trouble) { tell($(":scope > .problem", this.section), trouble) }

  async load() {
    try {
      this.records = await this.fetch()
      this.problem(null)
      this.draw()
    } catch (problem) { this.problem(problem) }
  }

  draw() {
    $("tbody", this.section).replaceChildren(...this.records.map(record => this.row(record)))
    $(".empty-line", this.section).hidden = this.records.length > 0
  }

  row(record) {
    const tr = clone(this.rowId)
    const id = record[this.key]
    tr.dataset.name = id
    this.show(tr, record)
    const link = $("th a", tr)
    put(link, id)
    link.href = `/list?ticker_webhook=${encodeURIComponent(id)}`
    put($(".switch-word", tr), record[this.flag] ? "Active" : "Paused")
    put($("[data-act=toggle]", tr), record[this.flag] ? "Pause" : "Activate")
    flag(tr, "data-off", !record[this.flag])
    for (const button of tr.querySelectorAll("button")) button.setAttribute("aria-label", `${button.textContent} ${this.noun} ${id}`)
    if (!("admin" in document.body.dataset)) $("[data-act=delete]", tr).hidden = true
    return tr
  }

  click({ target }) {
    const tr = target.closest("tr")
    const act = target.dataset.act
    const record = this.records.find(one => one[this.key] === tr?.dataset.name)
    if (record && act) this[act](record, tr)
  }

  async toggle(record) {
    await this.turn(record, !record[this.flag], true)
    $(`tr[data-name="${CSS.escape(record[this.key])}"] [data-act=toggle]`, this.section)?.focus()
  }

  async turn(record, active, undo) {
    try {
      await call("PUT", this.path, this.full(record, { [this.flag]: active ? 1 : 0 }))
      await this.load()
      const done = `${this.title} ${record[this.key]} is ${active ? "active" : "paused"}.`
      if (undo) toast(done, "Undo", () => this.turn(record, !active, false))
      else toast(done)
    } catch (problem) { toast(`${this.title} ${record[this.key]} was not ${active ? "activated" : "paused"}. ${this.words(problem)}`) }
  }

  words(problem) {
    return Object.entries(problem.fields ?? {}).map(([name, reason]) => `${name}: ${reason}`).join(" ") || problem.message.trim()
  }

  edit(record) {
    this.old = record
    clear(this.form)
    this.form.reset()
    if (record) fillIn(this.form, record)
    for (const name of this.fixed) this.form.elements[name].disabled = Boolean(record)
    put($("h2", this.dialog), record ? `Edit ${this.noun} ${record[this.key]}` : `Add ${this.noun}`)
    this.dialog.showModal()
  }

  async save() {
    const given = this.read(this.form)
    if (this.old) await call("PUT", this.path, this.full(this.old, given))
    else await call("POST", this.path, given)
    this.dialog.close()
    await this.load()
    toast(`${this.title} ${this.nameOf({ ...this.old, ...given })} is saved.`)
  }

  async delete(record) {
    const id = record[this.key]
    if (!await confirm(`Delete ${this.noun} ${id}?`, this.consequence(id), `Delete ${this.noun}`)) return
    try {
      await call("DELETE", `${this.onePath}/${encodeURIComponent(id)}`)
      await this.load()
      toast(`${this.title} ${id} is deleted.`)
    } catch (problem) { toast(`${this.title} ${id} was not deleted. ${this.words(problem)}`) }
  }

  async fetch() { return (await get(this.listPath))[this.listKey] }
}
