// Logging in, then back to where one was going.
import "./frame.js"
import { send } from "./api.js"
import { $, put } from "./dom.js"

const form = $("#login")
const place = $(".problem", form)

function say(text) {
  put(place, text)
  place.hidden = !text
}

function wrong({ status, headers }) {
  if (status === 401) return "User name or password is wrong."
  if (status === 429) return `Too many attempts. Try again in ${headers.get("Retry-After") ?? "a few"} seconds.`
  return "The server could not log you in. Try again in a moment."
}

async function submit(event) {
  event.preventDefault()
  const { username, password, expire } = form.elements
  if (!username.value.trim() || !password.value) return say("Enter your user name and your password.")
  say("")
  const button = $("button", form)
  button.disabled = true
  try {
    const { response } = await send("POST", "/v3/login", { username: username.value.trim(), password: password.value, expire: +expire.value })
    if (response.ok) return location.replace(form.dataset.next || "/dashboard")
    say(wrong(response))
    password.select()
  } catch (problem) { say(problem.message) }
  button.disabled = false
}

form.addEventListener("submit", submit)
form.elements.username.focus()
