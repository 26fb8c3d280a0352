// The positions: the figures of the account, the positions of each pair, and two charts.
import "./frame.js"
import { AccountChart } from "./charts/account.js"
import { PairChart } from "./charts/pair.js"
import { mountAccount } from "./positions/account.js"
import { mountHoldings } from "./positions/holdings.js"

const chart = new PairChart()
mountAccount()
mountHoldings(name => chart.choose(name))
new AccountChart()
