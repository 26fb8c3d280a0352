// Uses the dashboard in Firefox: node firefox.mjs ADDRESS. Each line that it prints says what it has seen.
import puppeteer from "puppeteer-core"

const address = process.argv[2]
const browser = await puppeteer.launch({ browser: "firefox", executablePath: "/usr/bin/firefox-esr", headless: true })
const page = await browser.newPage()
const patience = { timeout: 60000 }
const faults = []
const OUTAGE = /connection to .*\bws:/ // what Firefox itself says while the server is gone

page.on("pageerror", ({ message }) => { if (!OUTAGE.test(message)) faults.push(message) })
const text = selector => page.$eval(selector, node => node.textContent.trim())
const seen = (selector, words) => page.waitForFunction(
  (selector, words) => [...document.querySelectorAll(selector)].some(node => node.checkVisibility() && node.textContent.includes(words)),
  patience, selector, words)
const light = state => page.waitForFunction(state => document.querySelector("#light")?.dataset.state === state, patience, state)
const choose = selector => page.$eval(selector, node => node.click())

try {
  await page.goto(`${address}/login?next=/dashboard`)
  await page.type("[name=username]", "admin")
  await page.type("[name=password]", "123")
  await page.keyboard.press("Enter")
  await light("live")
  console.log("live")

  await seen("#signals tbody .symbol", "PLTR")
  console.log("row")

  await choose("#signals tbody tr a")
  await seen("#panel [data-show=message]", "The ticker is not registered")
  await choose("#panel-acts .primary")
  await seen("#panel .pill", "waiting")
  console.log("panel")

  await page.type("[name=q]", "nothing like this")
  await seen("#none h2", "No signal matches")
  await choose("#clear")
  await seen("#signals tbody .symbol", "PLTR")
  console.log("filters")

  await page.waitForFunction(() => document.querySelector("#light").dataset.state !== "live", patience)
  await seen("#stale", "Not live")
  console.log("lost")

  await light("live")
  await seen("#signals tbody .symbol", "AAPL")
  if (faults.length) throw new Error(faults.join("\n"))
  console.log("back")
} catch (error) {
  console.log(`failed: ${error.message} ${await text("body").catch(() => "")}`)
  process.exitCode = 1
}
await browser.close()
