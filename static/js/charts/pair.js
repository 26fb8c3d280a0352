// The signals of a pair: order and fill prices, marks for buy and sell, and below them the slippage with its running average.
import { exact } from "../clock.js"
import { $, put } from "../dom.js"
import { capital, favour, number, plural, signed } from "../format.js"
import { on } from "../live.js"
import { name, word } from "../status.js"
import { Chart } from "./chart.js"
import { faint } from "./colours.js"

const most = 500
const price = { type: "custom", minMove: 0.0001, formatter: x => number(+x.toFixed(4), 2) }
const slip = { type: "custom", minMove: 0.0001, formatter: x => signed(x) }
const dead = ["canceled", "error", "critical err"]
const bare = { priceLineVisible: false, lastValueVisible: false }

export class PairChart extends Chart {
  constructor() {
    super("pair-chart", { most, spacing: 9 })
    on("signal", ({ signal }, verb) => {
      const mine = name(signal) === this.pair
      if (mine || this.records.rows.has(signal.rowid)) this.receive(signal, mine ? verb : "deleted")
    })
  }

  get pair() { return this.chosen ??= $(".held").dataset.chosen }

  path() { return `/v3/signals/ticker/${encodeURIComponent(this.pair || " ")}/${most}` }

  none() { return this.pair ? `No signal of ${this.pair} yet.` : "No pair and no position to show." }

  choose(pair) {
    if (pair === this.chosen && !this.failed) return
    this.chosen = pair
    this.moved = this.whole = false
    this.records.rows.clear()
    put($("h2 bdi", this.root), pair)
    const csv = $("[data-act=csv]", this.root)
    csv.href = `/v3/signals/ticker/${encodeURIComponent(pair)}/0.csv`
    csv.hidden = false
    this.load()
  }

  addSeries() {
    const { LineSeries, LineStyle, HistogramSeries, createSeriesMarkers } = this.library
    this.marks = []
    // The marks belong to an invisible line that has a value at each point.
    const ground = this.chart.addSeries(LineSeries, { ...bare, priceFormat: price, lineVisible: false, crosshairMarkerVisible: false }, 0)
    const order = this.chart.addSeries(LineSeries, { ...bare, priceFormat: price, lineWidth: 1, lineStyle: LineStyle.Dashed }, 0)
    const fill = this.chart.addSeries(LineSeries, { ...bare, priceFormat: price, lineWidth: 2, pointMarkersVisible: true, pointMarkersRadius: 3 }, 0)
    const slippage = this.chart.addSeries(HistogramSeries, { ...bare, priceFormat: slip }, 1)
    const average = this.chart.addSeries(LineSeries, { ...bare, priceFormat: slip, lineWidth: 2 }, 1)
    slippage.priceScale().applyOptions({ scaleMargins: { top: 0.2, bottom: 0.15 } })
    this.chart.panes()[0].setStretchFactor(65)
    this.chart.panes()[1].setStretchFactor(35)
    this.chart.timeScale().subscribeVisibleLogicalRangeChange(range => this.thin(range))
    return { ground, order, fill, slippage, average, marks: createSeriesMarkers(ground, []) }
  }

  // Hides the marks if the reader has zoomed out so far that they would cover one another.
  thin(range) {
    const tight = range !== null && this.chart.timeScale().width() / (range.to - range.from) < 5
    if (tight === this.tight) return
    this.tight = tight
    this.series.fill.applyOptions({ pointMarkersVisible: !tight })
    this.series.marks.setMarkers(tight ? [] : this.marks)
  }

  restyle({ accent, muted, "violet-ink": violet }) {
    this.series.order.applyOptions({ color: muted })
    this.series.fill.applyOptions({ color: accent })
    this.series.average.applyOptions({ color: violet })
  }

  paint(points, { favour, against, accent, text, muted }) {
    const of = (value, more) => points.map(({ time, record }, i) => {
      const found = value(record, i)
      return typeof found === "number" ? { time, value: found, ...more?.(found) } : { time }
    })
    const averages = running(points)
    const { ground, order, fill, slippage, average, marks } = this.series
    let level = points.map(({ record }) => record.order_price ?? record.fill_price).find(found => found !== null) ?? 0
    ground.setData(of(record => level = record.order_price ?? record.fill_price ?? level))
    order.setData(of(record => record.order_price))
    fill.setData(of(record => record.fill_price))
    slippage.setData(of(record => record.slip, x => ({ color: faint(x < 0 ? against : favour, 0.7) })))
    average.setData(of((_, i) => averages[i]))
    this.marks = points.map(({ time, record }) => {
      const buy = record.order_action === "buy"
      const color = dead.includes(record.order_status) ? muted : buy ? accent : text
      return { time, color, shape: buy ? "arrowUp" : "arrowDown", position: buy ? "belowBar" : "aboveBar" }
    })
    if (!this.tight) marks.setMarkers(this.marks)
  }

  explain(points) {
    const averages = running(points)
    return points.map(({ record }, i) => ({
      texts: {
        time: exact(record.timestamp), what: `${capital(record.order_action)} ${number(record.order_contracts)}, ${word(record)}`,
        order: number(record.order_price, 2), fill: number(record.fill_price, 2), slip: signed(record.slip), average: signed(averages[i]),
      },
      favours: { slip: favour(record.slip), average: favour(averages[i]) },
    }))
  }

  label() {
    const last = this.rows.at(-1)
    return last ? `${this.pair}: ${plural(this.rows.length, "signal")}, the last ${last.texts.time}, ${last.texts.what}; average slippage ${last.texts.average || "unknown"}` : this.none()
  }
}

// For each point, the mean slippage of all signals up to it that have one.
function running(points) {
  let sum = 0, count = 0
  return points.map(({ record }) => {
    if (typeof record.slip !== "number") return count ? sum / count : null
    sum += record.slip
    count += 1
    return sum / count
  })
}
