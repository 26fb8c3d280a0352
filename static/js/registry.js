// The registry: pairs and stocks in two tables with one search, and the field that registers what is pasted into it.
import { activate, call, get, reason, tell } from "./api.js"
import { confirm, toast, turn } from "./dialogs.js"
import { $, clone, el, flag, later, page, put, show } from "./dom.js"
import { number, plural } from "./format.js"
import { blame, clear, decimal, doubtful, fillIn, needed, onSubmit, positive, values } from "./forms.js"
import { on } from "./live.js"

const most = 50  // rows of a table; the search finds the others
const list = names => names.join(" and ")
const usual = { STK: {}, CASH: { xch: "IDEALPRO", prixch: "IDEALPRO" }, CRYPTO: { xch: "PAXOS", prixch: "PAXOS" } }  // where a type is traded

// --- what is pasted; `read` is the answer of /v3/equation ---

// Sets capitals, spaces, decimal commas and "MA-V 1.3" right. Returns the text, and what is wrong with it.
function repair(text) {
  const read = text.trim().toUpperCase().replace(/^(\S+?)-(\S+)\s+([\d.,]+)$/, "$1-$3*$2").replace(/\s*([-*/])\s*/g, "$1")
  const fault = read.match(/[\d.]*,[\d.,]*/g)?.map(doubtful).find(Boolean)
  return { read: read.replace(/\d*,\d+/g, decimal), fault }
}

const fresh = read => read.legs.filter(leg => !leg.registered)

// Whether each new leg is certainly a stock in a known currency, so that nobody has to be asked.
export const isCertain = read => fresh(read).every(leg => leg.certain)

// Registers what was read: new legs with type, currency and primary exchange, then the pair with its hedge, or the single stock; active.
export async function register({ name, type, hedge, legs }) {
  const pair = type === "pair"
  if (pair && legs.some(leg => !leg.registered && leg.sectype === "CRYPTO")) throw new Error("Crypto cannot be a leg of a pair.")
  for (const { symbol, sectype, currency, primary, registered } of legs) {
    if (registered) continue
    const known = { sectype, currency, ...primary && { prixch: primary }, ...usual[sectype] }
    await call("POST", "/v3/regticker", { symbol, active: pair ? 0 : 1, ...known })
  }
  if (pair) await call("POST", "/v3/regpair", { ticker1: legs[0].symbol, ticker2: legs[1].symbol, hedge, status: 1 })
  else if (legs[0].registered) await activate(name, pair)
}

const noted = ({ symbol, exchange, currency, primary }) =>
  `${symbol} is new: a stock${exchange ? ` of ${exchange}` : ""} in ${currency}, primary exchange ${primary ?? "ISLAND"}. Setup, Registry, can change that.`

// What the text means for the registry: a sentence, notes, the verb of the button, what it does and what is told then.
// Without a verb there is nothing to do. `isNew`: nothing that is traded now changes.
function plan(read) {
  const { name, type, legs, registered, active, registered_hedge } = read
  const pair = type === "pair"
  const hedge = registered && !read.weighed ? registered_hedge : read.hedge
  const what = pair ? `Pair ${name}: buy 1 ${legs[0].symbol}, sell ${number(hedge)} ${legs[1].symbol}.` : `Stock ${name}.`
  const single = pair && !active ? legs.filter(leg => leg.active).map(leg => leg.symbol) : []
  if (single.length) return { what, notes: [`${list(single)} is active as a stock. Pause it first: a ticker is traded alone or in a pair.`] }
  if (!registered) {
    const notes = fresh(read).filter(leg => leg.certain).map(noted)
    return { what, notes, verb: `Register ${name}`, isNew: true, act: () => register(read), done: `${name} is registered and active.` }
  }
  if (pair && hedge !== registered_hedge) {
    const act = () => call("PUT", "/v3/regpair", { name, hedge })
    return {
      what, notes: [`It is registered with the hedge ${number(registered_hedge)}${active ? "" : ", and paused"}.`],
      verb: `Change the hedge to ${number(hedge)}`, act, done: `Pair ${name} has the hedge ${number(hedge)}.`,
    }
  }
  if (active) return { what, notes: ["It is registered and active. Nothing is to be done."] }
  return { what, notes: ["It is registered and paused."], verb: `Activate ${name}`, act: () => activate(name, pair), done: `${name} is active.` }
}

// The type and currency of a new leg that is not certain, to choose from; the choice is written into the leg.
function ask(form, leg) {
  const row = $("template", form).content.firstElementChild.cloneNode(true)
  const [type, currency] = [$("select", row), $("input", row)]
  show(row, { symbol: leg.symbol })
  type.replaceChildren(...Object.entries(page.words.types).map(([value, text]) => el("option", text, { value })))
  type.value = leg.sectype
  currency.value = leg.currency
  type.addEventListener("change", () => { leg.sectype = type.value })
  currency.addEventListener("input", () => { leg.currency = currency.value.trim().toUpperCase() })
  currency.addEventListener("keydown", event => {
    if (event.key !== "Enter") return
    event.preventDefault()  // the form's own Enter reads the text anew
    $("[data-act=save]", form).click()
  })
  return row
}

// Lets a form register: the first Enter shows what was understood, the second saves it.
export function mountRegister(form, done = () => {}) {
  const field = form.elements.text
  const card = $(".understood", form)
  const save = $("[data-act=save]", form)
  let planned
  const close = () => { card.hidden = true; planned = null }
  onSubmit(form, () => needed(values(form), ["text"]), async () => {
    close()
    const typed = field.value.trim()
    const { read, fault } = repair(typed)
    if (fault) return blame(form, { fields: { text: fault } })
    const answer = await get(`/v3/equation?text=${encodeURIComponent(read)}`)
    planned = plan(answer)
    const notes = [read === typed ? "" : `${typed} was read as ${read}.`, ...planned.notes].filter(Boolean)
    show(card, { what: planned.what })
    $("ul", card).replaceChildren(...notes.map(text => el("li", text)))
    const unsure = planned.isNew ? fresh(answer).filter(leg => !leg.certain) : []
    $(".unsure", card).replaceChildren(...unsure.map(leg => ask(form, leg)))
    put(save, planned.verb)
    save.hidden = !planned.verb
    card.hidden = false
    if (planned.isNew) ($("select", card) ?? save).focus()
  })
  save.addEventListener("click", async () => {
    save.disabled = true
    try {
      await planned.act()
      toast(planned.done)
      close()
      form.reset()
      done()
    } catch (problem) { blame(form, { message: reason(problem) }) }
    save.disabled = false
  })
  $("[data-act=cancel]", form).addEventListener("click", () => { close(); field.focus() })
  field.addEventListener("input", () => { close(); clear(form) })
}

// --- the tables ---

class RegistryTable {
  constructor(kind) {
    Object.assign(this, kind, { records: [], table: $(`#${kind.noun}s-table`), dialog: $(`#${kind.noun}-dialog`) })
    this.form = $("form", this.dialog)
    $("[data-act=cancel]", this.form).addEventListener("click", () => this.dialog.close())
    $("tbody", this.table).addEventListener("click", event => this.click(event))
    onSubmit(this.form, () => this.check(this.read()), () => this.save())
    on(this.noun, later(load, 300))
  }

  async load() {
    this.records = (await get(this.listPath))[this.listKey]
  }

  draw(text) {
    const found = this.records.filter(record => this.texts(record).some(each => each?.toLowerCase().includes(text)))
    const cut = found.length > most && !this.whole
    $("tbody", this.table).replaceChildren(...(cut ? found.slice(0, most) : found).map(record => this.row(record)))
    this.table.hidden = !found.length
    const note = $(`#${this.noun}s-note`)
    put(note, cut ? `The list is not whole: the newest ${most} of ${plural(found.length, this.noun)}. Search, or `
      : found.length ? "" : text && this.records.length ? `No ${this.noun} has this text.` : `No ${this.noun} is registered.`)
    if (cut) note.append(el("button", `show all ${this.noun}s`, { type: "button", className: "quiet", onclick: () => { this.whole = true; draw() } }))
  }

  row(record) {
    const tr = clone(`${this.noun}-row`)
    const id = record[this.key]
    const active = record[this.flag]
    const pair = this.pairOf?.(record)
    tr.dataset.name = id
    show(tr, this.cells(record))
    const link = $("th a", tr)
    put(link, id)
    link.href = `/list?ticker_webhook=${encodeURIComponent(id)}`
    const mode = page.words.modes[modeOf[id]]?.toLowerCase()
    put($(".switch-word", tr), [pair ? `in ${pair}` : active ? "Active" : "Paused", mode].filter(Boolean).join(", "))
    put($("[data-act=toggle]", tr), active ? "Pause" : "Activate")
    $("[data-act=toggle]", tr).hidden = Boolean(pair)
    flag(tr, "data-off", !active && !pair)
    for (const button of tr.querySelectorAll("button")) button.setAttribute("aria-label", `${button.textContent} ${this.noun} ${id}`)
    $("[data-act=delete]", tr).hidden = !page.admin
    return tr
  }

  click({ target }) {
    const name = target.closest("tr")?.dataset.name
    const record = this.records.find(one => one[this.key] === name)
    if (record && target.dataset.act) this[target.dataset.act](record)
  }

  async toggle(record) {
    const { flag: state, key, path } = this
    const was = Boolean(record[state])
    await turn(`${this.title} ${record[key]}`, was, !was, async active => {
      await call("PUT", path, { [key]: record[key], [state]: active ? 1 : 0 })
      await load()
    })
    $(`tr[data-name="${CSS.escape(record[this.key])}"] [data-act=toggle]`, this.table)?.focus()
  }

  edit(record) {
    this.old = record
    clear(this.form)
    this.form.reset()
    fillIn(this.form, record)
    put($("h2", this.dialog), `Edit ${this.noun} ${record[this.key]}`)
    this.dialog.showModal()
  }

  read() {
    const given = values(this.form)
    given[this.flag] = given[this.flag] ? 1 : 0
    if ("hedge" in given) given.hedge = decimal(given.hedge)
    return given
  }

  async save() {
    const id = this.old[this.key]
    await call("PUT", this.path, { [this.key]: id, ...this.read() })
    this.dialog.close()
    await load()
    toast(`${this.title} ${id} is saved.`)
  }

  async delete(record) {
    const id = record[this.key]
    if (!await confirm(`Delete ${this.noun} ${id}?`, `Its signals stay. New signals of this ${this.noun} will be stored as errors.`, `Delete ${this.noun}`)) return
    try {
      await call("DELETE", `${this.onePath}/${encodeURIComponent(id)}`)
      await load()
      toast(`${this.title} ${id} is deleted.`)
    } catch (problem) { toast(`${this.title} ${id} was not deleted. ${reason(problem)}`) }
  }
}

function checkHedge(given) {
  const doubt = doubtful(given.hedge)
  return doubt ? { hedge: doubt } : { ...positive(given, ["hedge"]), ...needed(given, ["hedge"]) }
}

const kinds = [
  {
    noun: "pair", title: "Pair", key: "name", flag: "status", path: "/v3/regpair", onePath: "/v3/pair", listPath: "/v3/pairs/0", listKey: "pairs",
    texts: pair => [pair.name, pair.notes], check: checkHedge, cells: pair => ({ hedge: number(pair.hedge), notes: pair.notes }),
  },
  {
    noun: "stock", title: "Stock", key: "symbol", flag: "active", path: "/v3/regticker", onePath: "/v3/ticker", listPath: "/v3/tickers/0", listKey: "tickers",
    texts: stock => [stock.symbol, stock.currency], check: given => needed(given, ["currency", "xch", "prixch", "order_type"]), cells: stock => stock,
    pairOf: stock => traded.get(stock.symbol),
  },
]

let tables, search
let traded = new Map()  // the active pair of each leg
let modeOf = {}  // the mode of those that have one of their own

function draw() {
  for (const table of tables) table.draw(search.value.trim().toLowerCase())
}

async function load() {
  const place = $("#registry > .problem")
  try {
    const [trading] = await Promise.all([get("/v3/trading"), ...tables.map(table => table.load())])
    modeOf = trading.tickers
    traded = new Map(tables[0].records.filter(pair => pair.status).flatMap(pair => [[pair.ticker1, pair.name], [pair.ticker2, pair.name]]))
    tell(place, null)
    draw()
  } catch (problem) { tell(place, problem) }
}

function shown() {
  if (location.hash === "#stocks") $("#stocks-title").scrollIntoView()
  const given = new URLSearchParams(location.search).get("register")
  if (given && !search.value) {
    search.value = given
    search.form.requestSubmit()
  }
}

export async function mount(section) {
  tables = kinds.map(kind => new RegistryTable(kind))
  search = $("#register", section).elements.text
  mountRegister(search.form, load)
  search.addEventListener("input", later(draw, 100))
  on("resync", load)
  await load()
  shown()
  if (matchMedia("(pointer: fine)").matches) search.focus()  // on a phone the keyboard would hide the tables
  return { shown: () => { load().then(shown) } }
}
