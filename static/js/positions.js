// The positions: the account's figures, what is held of each pair, and two charts.
import "./frame.js"
import { AccountChart } from "./charts/account.js"
import { PairChart } from "./charts/pair.js"
import { mountAccount } from "./positions/account.js"
import { mountHoldings } from "./positions/holdings.js"

const chart = new PairChart()
mountAccount()
mountHoldings(name => chart.choose(name))
new AccountChart()
