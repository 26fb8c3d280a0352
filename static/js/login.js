// The login, with a code in a second step if the user has a second factor; then the page that the user wanted.
import "./frame.js"
import { send } from "./api.js"
import { $, put } from "./dom.js"

const form = $("#login")
const place = $(".problem", form)
const fields = form.elements
const second = $("#second")

function say(text) {
  put(place, text)
  place.hidden = !text
}

function ask(code) {
  second.hidden = !code
  $("#credentials").hidden = code
  $("#back").hidden = !code
  fields.code.value = ""
  if (!code) fields.password.value = ""
  fields[code ? "code" : "username"].focus()
}

function wrong({ status, headers }) {
  if (status === 401) return "User name or password is wrong."
  if (status === 429) return `Too many attempts. Try again in ${headers.get("Retry-After") ?? "a few"} seconds.`
  return "The server could not log you in. Try again in a moment."
}

function refused(response, answer) {
  const again = !second.hidden
  if (response.status === 401 && answer?.error === "code_required") {
    ask(true)
    return say(again ? "The code is wrong, or it was used before." : "")
  }
  if (again && response.status === 401) ask(false)
  say(wrong(response))
  if (!again) fields.password.select()
}

// The browser keeps the fragment of the address that led here: only it knows that.
function wanted() {
  const next = form.dataset.next || "/dashboard"
  return next.includes("#") ? next : next + location.hash
}

async function submit(event) {
  event?.preventDefault()
  const { username, password, expire, code } = fields
  if (!username.value.trim() || !password.value) return say("Enter your user name and your password.")
  if (!second.hidden && !code.value.trim()) return say("Enter the code.")
  say("")
  const button = $(".primary", form)
  button.disabled = true
  const given = { username: username.value.trim(), password: password.value, expire: +expire.value }
  if (!second.hidden) given.code = code.value.trim()
  try {
    const { response, answer } = await send("POST", "/v3/login", given)
    if (response.ok) return location.replace(wanted())
    refused(response, answer)
  } catch (problem) { say(problem.message) }
  button.disabled = false
}

form.addEventListener("submit", submit)
$("#back").addEventListener("click", () => { say(""); ask(false) })
$("#demo-login")?.addEventListener("click", () => {
  const { name, password } = $("#demo").dataset
  fields.username.value = name
  fields.password.value = password
  submit()
})
fields.username.focus()
