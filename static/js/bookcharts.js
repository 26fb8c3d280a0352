// The charts of the books: realised PnL with its drawdown, and the spread of a pair with its fills and trips.
import { ascending, Chart, faint } from "./chart.js"
import { exact, favour, money, number, plural, signed } from "./format.js"
import { save } from "./sheets.js"
import { $ } from "./dom.js"

const format = (minMove, formatter) => ({ type: "custom", minMove, formatter })
const gain = format(0.01, x => signed(x, "", 0))
const price = format(0.0001, x => number(+x.toFixed(4), 2))
const bare = { priceLineVisible: false, lastValueVisible: false }

// A chart of what the page has already; `give` draws it anew.
class BookChart extends Chart {
  constructor(id, options) {
    super(id, options)
    $("[data-act=csv]", this.root).addEventListener("click", () => save(id, this.file()))
  }

  load() { this.draw() }

  give(what) {
    Object.assign(this, what)
    this.draw()
  }
}

// --- realised PnL: a sum with a point for each day or hour, below it the drawdown and the gains ---

const day = 86400 // seconds
const dayWords = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", month: "short", year: "numeric" })

export class Equity extends BookChart {
  constructor() { super("equity", { days: 0, gains: [], code: "", hourly: false }) }

  get widest() { return 120 }

  none() { return "Nothing was realised in this period." }

  // `gains`: [{at, gain}], where `at` is in seconds. The line begins at 0, one step before the first.
  collect() {
    if (!this.gains.length) return []
    let total = 0, high = 0
    const start = { time: this.gains[0].at - (this.hourly ? 3600 : day), record: { gain: null, total: 0, fall: 0 } }
    return [start, ...this.gains.map(({ at, gain }) => {
      total += gain
      high = Math.max(high, total)
      return { time: at, record: { gain, total, fall: total - high } }
    })]
  }

  options() {
    const timeFormatter = time => this.words(time)
    return { ...super.options(), localization: { locale: "en-GB", timeFormatter } }
  }

  words(time) {
    const text = dayWords.format(1000 * time)
    return this.hourly ? `${text}, ${new Date(1000 * time).toISOString().slice(11, 16)} UTC` : text
  }

  addSeries() {
    const { AreaSeries, HistogramSeries } = this.library
    const total = this.chart.addSeries(AreaSeries, { ...bare, lineWidth: 2, priceFormat: gain }, 0)
    const below = found => ({ ...found(), priceRange: { minValue: Math.min(-10, found()?.priceRange?.minValue ?? 0), maxValue: 0 } })
    const fall = this.chart.addSeries(AreaSeries, { ...bare, lineWidth: 1, priceFormat: gain, invertFilledArea: true, autoscaleInfoProvider: below }, 1)
    const gains = this.chart.addSeries(HistogramSeries, { ...bare, priceFormat: gain }, 2)
    gains.priceScale().applyOptions({ scaleMargins: { top: 0.15, bottom: 0.1 } })
    fall.priceScale().applyOptions({ scaleMargins: { top: 0, bottom: 0.1 } })
    for (const [i, share] of [55, 20, 25].entries()) this.chart.panes()[i].setStretchFactor(share)
    return { total, fall, gains }
  }

  restyle({ accent, against }) {
    this.series.total.applyOptions({ lineColor: accent, topColor: faint(accent, 0.22), bottomColor: faint(accent, 0.02) })
    this.series.fall.applyOptions({ lineColor: against, topColor: faint(against, 0.05), bottomColor: faint(against, 0.25) })
  }

  paint(points, theme) {
    this.series.total.setData(points.map(({ time, record }) => ({ time, value: record.total })))
    this.series.fall.setData(points.map(({ time, record }) => ({ time, value: record.fall })))
    this.series.gains.setData(points.map(({ time, record: { gain } }) => gain === null ? { time } : { time, value: gain, color: faint(gain < 0 ? theme.against : theme.favour, 0.75) }))
  }

  explain(points) {
    return points.map(({ time, record: { gain, total, fall } }) => ({
      texts: { time: gain === null ? "Start" : this.words(time), gain: money(gain, this.code), total: money(total, this.code), fall: money(fall, this.code) },
      favours: { gain: favour(gain), total: favour(total), fall: favour(fall) },
    }))
  }

  label() {
    const last = this.rows.at(-1)
    return last ? `Realised PnL, ${plural(this.gains.length, this.hourly ? "hour" : "day")}; the sum is ${last.texts.total}` : this.none()
  }

  file() {
    const rows = this.points.slice(1).map(({ time, record }) => [new Date(1000 * time).toISOString().slice(0, this.hourly ? 16 : 10), this.code, record.gain, +record.total.toFixed(4), +record.fall.toFixed(4)])
    return [["Time, UTC", "Currency", "PnL", "Sum", "Drawdown"], ...rows]
  }
}

// --- the spread: reports of the open position with the usual range, fills as marks, trips as bands ---

// Draws a band from a trip's first fill to its last, in the colour of its result: with an edge at the top for a win, at the bottom
// for a loss, and the result in words where there is room.
class Bands {
  constructor(chart) { Object.assign(this, { chart, trips: [] }) }

  attached({ requestUpdate }) { this.redraw = requestUpdate }

  give(trips) { this.trips = trips; this.redraw?.() }

  paneViews() { return [{ zOrder: () => "bottom", renderer: () => this }] }

  draw(target) {
    const scale = this.chart.timeScale()
    target.useMediaCoordinateSpace(({ context, mediaSize: { width, height } }) => {
      context.font = getComputedStyle(document.body).font.replace(/^.*?px/, "12px")
      for (const { from, to, text, color, edge, ink } of this.trips) {
        const [left, right] = [scale.timeToCoordinate(from), to === null ? width : scale.timeToCoordinate(to)]
        if (left === null || right === null || right < 0 || left > width) continue
        context.fillStyle = color
        context.fillRect(left, 0, Math.max(1, right - left), height)
        context.fillStyle = ink
        if (edge) context.fillRect(left, edge > 0 ? 0 : height - 3, Math.max(1, right - left), 3)
        const room = context.measureText(text).width + 8
        if (right - left > room) context.fillText(text, Math.max(left, 0) + 4, 16)
      }
    })
  }
}

export class Spread extends BookChart {
  constructor(series) { super("spread", { days: 30, data: series }) }

  get widest() { return 80 }

  none() { return "No fill yet. Fills, trips and the spread of an open position appear here." }

  collect() {
    const { fills, spreads } = this.data
    return ascending([
      ...fills.map(fill => ({ timestamp: fill.time, rowid: fill.rowid, fill })),
      ...spreads.map(({ time, spread }, i) => ({ timestamp: time, rowid: 1e15 + i, spread })),
    ])
  }

  addSeries() {
    const { LineSeries, LineStyle, createSeriesMarkers } = this.library
    const add = (more = {}) => this.chart.addSeries(LineSeries, { ...bare, priceFormat: price, crosshairMarkerVisible: false, ...more })
    // The marks belong to an invisible line that has a value at each point; fills are never joined.
    const ground = add({ lineVisible: false })
    const [upper, lower] = [1, 2].map(() => add({ lineWidth: 1, lineStyle: LineStyle.SparseDotted }))
    const mean = add({ lineWidth: 1, lineStyle: LineStyle.Dashed })
    const entry = add({ lineWidth: 1 })
    const spread = add({ lineWidth: 2, lastValueVisible: true, crosshairMarkerVisible: true })
    const fill = add({ lineVisible: false, pointMarkersVisible: true, pointMarkersRadius: 4 })
    this.bands = new Bands(this.chart)
    ground.attachPrimitive(this.bands)
    this.arrows = []
    this.chart.timeScale().subscribeVisibleLogicalRangeChange(range => this.thin(range))
    return { ground, upper, lower, mean, entry, spread, fill, marks: createSeriesMarkers(ground, []) }
  }

  // Hides the arrows and makes the dots smaller if the reader has zoomed out so far that they would cover one another.
  thin(range) {
    const tight = range !== null && this.chart.timeScale().width() / (range.to - range.from) < 6
    if (tight === this.tight) return
    this.tight = tight
    this.series.fill.applyOptions({ pointMarkersRadius: tight ? 1.5 : 4 })
    this.series.marks.setMarkers(tight ? [] : this.arrows)
  }

  restyle({ accent, text, muted, "violet-ink": violet }) {
    this.series.spread.applyOptions({ color: accent })
    this.series.fill.applyOptions({ color: text })
    this.series.entry.applyOptions({ color: text })
    for (const key of ["mean", "upper", "lower"]) this.series[key].applyOptions({ color: violet })
    this.series.ground.applyOptions({ color: muted })
  }

  paint(points, theme) {
    const { entry, mean, sigma, trips } = this.data
    const of = value => points.map(({ time, record }) => {
      const found = value(record)
      return typeof found === "number" ? { time, value: found } : { time }
    })
    const level = value => of(({ spread }) => spread === undefined ? null : value)
    let last = points.map(({ record }) => record.spread ?? record.fill.price).find(found => found !== null) ?? 0
    this.series.ground.setData(of(record => last = record.spread ?? record.fill?.price ?? last))
    this.series.spread.setData(of(({ spread }) => spread))
    this.series.fill.setData(of(({ fill }) => fill?.price))
    this.series.entry.setData(level(entry))
    this.series.mean.setData(level(mean))
    this.series.upper.setData(level(mean === null ? null : mean + 2 * sigma))
    this.series.lower.setData(level(mean === null ? null : mean - 2 * sigma))
    this.arrows = points.filter(({ record }) => record.fill).map(({ time, record: { fill } }) => {
      const buy = fill.order_action === "buy"
      return { time, color: buy ? theme.accent : theme.text, shape: buy ? "arrowUp" : "arrowDown", position: buy ? "belowBar" : "aboveBar" }
    })
    if (!this.tight) this.series.marks.setMarkers(this.arrows)
    const at = new Map(points.filter(({ record }) => record.fill).map(({ time, record }) => [record.fill.rowid, time]))
    this.bands.give(trips.map(({ signals, closed, pnl, currency }) => {
      const hue = closed === null ? theme.accent : pnl === null ? theme.muted : pnl < 0 ? theme.against : theme.favour
      return {
        from: at.get(signals[0]), to: closed === null ? null : at.get(signals.at(-1)), color: faint(hue, 0.1), ink: hue, edge: Math.sign(pnl),
        text: closed === null ? "open" : pnl === null ? "not known" : money(pnl, currency, 0),
      }
    }))
  }

  explain(points) {
    const { entry, mean, sigma } = this.data
    const level = x => typeof x === "number" ? price.formatter(x) : ""
    const levels = { entry: level(entry), mean: level(mean), range: level(sigma === null ? null : 2 * sigma) }
    return points.map(({ record: { timestamp, spread, fill } }) => ({
      texts: {
        ...spread === undefined ? {} : levels,
        time: exact(timestamp), what: fill ? `${fill.order_action === "buy" ? "Buy" : "Sell"} ${number(fill.contracts)}, signal ${fill.rowid}` : "Report",
        spread: number(spread, 2), fill: number(fill?.price, 2), slip: signed(fill?.slip_money, "", 2),
      },
      favours: { slip: favour(fill?.slip_money) },
    }))
  }

  label() {
    const { fills, spreads, now } = this.data
    return this.rows.length ? `${this.data.name}: ${plural(fills.length, "fill")}, ${plural(spreads.length, "report")} of the open position; the spread is ${number(now, 2) || "not known"}` : this.none()
  }

  file() {
    return [["Time", "What", "Spread", "Fill", "Slippage"], ...this.points.map(({ record: { timestamp, spread, fill } }, i) => [
      `${timestamp.replace(" ", "T")}Z`, this.rows[i].texts.what, spread, fill?.price, fill?.slip_money,
    ])]
  }
}
