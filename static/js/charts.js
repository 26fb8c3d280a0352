// The two charts: the account's net liquidation with its PnL a day, and the signals of a pair with fills and slippage.
import { Chart, dayOf, faint } from "./chart.js"
import { $, put } from "./dom.js"
import { capital, exact, favour, number, plural, signed } from "./format.js"
import { on } from "./live.js"
import { name, word } from "./status.js"

const format = (minMove, formatter) => ({ type: "custom", minMove, formatter })
const whole = format(1, x => number(Math.round(x)))
const gain = format(0.01, x => signed(x, "", 0))
const price = format(0.0001, x => number(+x.toFixed(4), 2))
const slip = format(0.0001, x => signed(x))
const bare = { priceLineVisible: false, lastValueVisible: false }

// --- the account ---

// One bar a day, as wide as the records of the day. Each record has the same `day`: {from, to, value, color}, where `from` and
// `to` are places among all records.
class DayBars {
  constructor(timeScale) { this.timeScale = timeScale }

  renderer() { return this }

  update(data) { this.data = data }

  priceValueBuilder({ day }) { return [0, day.value] }

  isWhitespace({ day }) { return !day }

  defaultOptions() { return {} }

  draw(target, toY) {
    const { bars, barSpacing, visibleRange } = this.data
    if (!visibleRange) return
    const days = new Set(bars.slice(visibleRange.from, visibleRange.to + 1).map(({ originalData }) => originalData.day))
    target.useMediaCoordinateSpace(({ context }) => {
      for (const { from, to, value, color } of days) {
        const [left, right] = [from - 0.5, to + 0.5].map(place => this.timeScale.logicalToCoordinate(0) + place * barSpacing)
        const free = Math.min(2, (right - left) / 4)
        const [y, zero] = [toY(value), toY(0)]
        context.fillStyle = color
        context.fillRect(left + free / 2, Math.min(y, zero), right - left - free, Math.max(1, Math.abs(y - zero)))
      }
    })
  }
}

// The day of each point; its value is the last one that is known, because the PnL of a day grows with each report.
function daysOf(points, { favour, against }) {
  let day = {}
  return points.map(({ time, record }, i) => {
    const date = dayOf(time)
    if (day.date !== date) day = { date, from: i, value: null }
    day.to = i
    day.value = record.DailyPnL ?? day.value
    day.color = day.value < 0 ? against : favour
    return day
  })
}

export class AccountChart extends Chart {
  constructor() {
    super("account-chart", { days: 0 })
    on("account", ({ account }, verb) => this.receive(account, verb))
  }

  path() { return `/v3/pnl/${this.most}` }

  none() { return "No account record yet. The chart begins with the bridge's first report." }

  addSeries() {
    const net = this.chart.addSeries(this.library.AreaSeries, { lineWidth: 2, priceFormat: whole, priceLineVisible: false }, 0)
    const daily = this.chart.addCustomSeries(new DayBars(this.chart.timeScale()), { ...bare, priceFormat: gain }, 1)
    daily.priceScale().applyOptions({ scaleMargins: { top: 0.2, bottom: 0.1 } })
    this.chart.panes()[0].setStretchFactor(7)
    this.chart.panes()[1].setStretchFactor(3)
    return { net, daily }
  }

  restyle({ accent }) {
    this.series.net.applyOptions({ lineColor: accent, topColor: faint(accent, 0.22), bottomColor: faint(accent, 0.02) })
  }

  paint(points, theme) {
    const days = daysOf(points, theme)
    this.series.net.setData(points.map(({ time, record: { NetLiquidation: value } }) => value === null ? { time } : { time, value }))
    this.series.daily.setData(points.map(({ time }, i) => days[i].value === null ? { time } : { time, day: days[i] }))
  }

  explain(points) {
    return points.map(({ record }) => {
      const [net, daily, realised, unrealised] = ["NetLiquidation", "DailyPnL", "RealizedPnL", "UnrealizedPnL"].map(key => record[key])
      return {
        texts: { time: exact(record.timestamp), net: number(net), daily: signed(daily, "", 2), realised: signed(realised, "", 2), unrealised: signed(unrealised, "", 2) },
        favours: { daily: favour(daily), realised: favour(realised), unrealised: favour(unrealised) },
      }
    })
  }

  label() {
    const [first, last] = [this.rows[0], this.rows.at(-1)]
    return last ? `Net liquidation with daily PnL, ${plural(this.rows.length, "record")} from ${first.texts.time} to ${last.texts.time}; the last is ${last.texts.net || "unknown"}` : "No account record yet"
  }
}

// --- a pair ---

const dead = ["canceled", "error", "critical err"]

export class PairChart extends Chart {
  constructor(pair) {
    super("pair-chart", { days: 30, pair })
    this.show()
    on("signal", ({ signal }, verb) => {
      const mine = name(signal) === this.pair
      if (mine || this.records.rows.has(signal.rowid)) this.receive(signal, mine ? verb : "deleted")
    })
  }

  path() { return `/v3/signals/ticker/${encodeURIComponent(this.pair || " ")}/${this.most}` }

  none() { return this.pair ? `No signal of ${this.pair} yet.` : "No pair and no position to show." }

  choose(pair) {
    if (pair === this.pair && !this.failed) return
    this.pair = pair
    if (this.days === null) this.press(30)
    this.records.rows.clear()
    this.show()
    this.load()
  }

  show() {
    put($("h2 bdi", this.root), this.pair || "No pair")
    const csv = $("[data-act=csv]", this.root)
    csv.href = `/v3/signals/ticker/${encodeURIComponent(this.pair)}/0.csv`
    csv.hidden = !this.pair
  }

  addSeries() {
    const { LineSeries, LineStyle, HistogramSeries, createSeriesMarkers } = this.library
    this.marks = []
    // The marks belong to an invisible line that has a value at each point.
    const ground = this.chart.addSeries(LineSeries, { ...bare, priceFormat: price, lineVisible: false, crosshairMarkerVisible: false }, 0)
    const order = this.chart.addSeries(LineSeries, { ...bare, priceFormat: price, lineWidth: 1, lineStyle: LineStyle.Dashed }, 0)
    const fill = this.chart.addSeries(LineSeries, { ...bare, priceFormat: price, lineVisible: false, pointMarkersVisible: true, pointMarkersRadius: 3 }, 0)
    const slippage = this.chart.addSeries(HistogramSeries, { ...bare, priceFormat: slip }, 1)
    const average = this.chart.addSeries(LineSeries, { ...bare, priceFormat: slip, lineWidth: 2 }, 1)
    slippage.priceScale().applyOptions({ scaleMargins: { top: 0.2, bottom: 0.15 } })
    this.chart.panes()[0].setStretchFactor(65)
    this.chart.panes()[1].setStretchFactor(35)
    this.chart.timeScale().subscribeVisibleLogicalRangeChange(range => this.thin(range))
    return { ground, order, fill, slippage, average, marks: createSeriesMarkers(ground, []) }
  }

  // Hides the arrows and makes the fills smaller if the reader has zoomed out so far that they would cover one another.
  thin(range) {
    const tight = range !== null && this.chart.timeScale().width() / (range.to - range.from) < 5
    if (tight === this.tight) return
    this.tight = tight
    this.series.fill.applyOptions({ pointMarkersRadius: tight ? 1 : 3 })
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
