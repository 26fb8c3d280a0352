// The account's chart: net liquidation over time, and the daily PnL below it.
import { exact } from "../clock.js"
import { favour, number, plural, signed } from "../format.js"
import { on } from "../live.js"
import { Chart } from "./chart.js"
import { faint } from "./colours.js"

const whole = { type: "custom", minMove: 1, formatter: x => number(Math.round(x)) }
const gain = { type: "custom", minMove: 0.01, formatter: x => signed(x, "", 0) }

export class AccountChart extends Chart {
  constructor() {
    super("account-chart", { most: 2000, spacing: 0.2 })
    on("account", ({ account }, verb) => this.receive(account, verb))
  }

  path() { return "/v3/pnl/2000" }

  none() { return "No account record yet. The chart begins with the bridge's first report." }

  addSeries() {
    const { AreaSeries, HistogramSeries } = this.library
    const net = this.chart.addSeries(AreaSeries, { lineWidth: 2, priceFormat: whole, priceLineVisible: false }, 0)
    const daily = this.chart.addSeries(HistogramSeries, { priceFormat: gain, priceLineVisible: false, lastValueVisible: false }, 1)
    daily.priceScale().applyOptions({ scaleMargins: { top: 0.2, bottom: 0.1 } })
    this.chart.panes()[0].setStretchFactor(7)
    this.chart.panes()[1].setStretchFactor(3)
    return { net, daily }
  }

  restyle({ accent }) {
    this.series.net.applyOptions({ lineColor: accent, topColor: faint(accent, 0.22), bottomColor: faint(accent, 0.02) })
  }

  paint(points, { favour, against }) {
    const value = (key, more) => ({ time, record }) => {
      const found = record[key]
      return found === null ? { time } : { time, value: found, ...more?.(found) }
    }
    this.series.net.setData(points.map(value("NetLiquidation")))
    this.series.daily.setData(points.map(value("DailyPnL", x => ({ color: x < 0 ? against : favour }))))
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
