// Reads forms, and shows what is wrong beside the field.
import { tell } from "./api.js"
import { $, $$ } from "./dom.js"

const numeric = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

// A text that is a number becomes a number. Any other text is sent as it was typed, and the server checks it.
const typed = text => numeric.test(text) && Number.isFinite(+text) ? +text : text

export function values(form, numbers = []) {
  const found = {}
  for (const field of form.elements) {
    if (!field.name || field.disabled) continue
    if (field.type === "checkbox") found[field.name] = field.checked
    else if (field.type === "password") found[field.name] = field.value
    else found[field.name] = numbers.includes(field.name) ? typed(field.value.trim()) : field.value.trim()
  }
  return found
}

export function fillIn(form, record) {
  for (const field of form.elements) {
    if (!field.name || !(field.name in record)) continue
    if (field.type === "checkbox") field.checked = Boolean(record[field.name])
    else field.value = record[field.name] ?? ""
  }
}

function mark(form, name, reason) {
  const place = $(`.problem[data-for="${CSS.escape(name)}"]`, form)
  const field = form.elements[name]
  if (!place || !field) return false
  if (!place.id) place.id = `problem-${form.id || form.parentElement.id}-${name}`
  tell(place, reason ? { message: reason } : null)
  field.setAttribute("aria-invalid", reason ? "true" : "false")
  if (reason) field.setAttribute("aria-describedby", place.id)
  else field.removeAttribute("aria-describedby")
  return true
}

export function clear(form) {
  for (const place of $$(".problem[data-for]", form)) mark(form, place.dataset.for, null)
  tell($('.problem[data-for=""]', form), null)
}

// Shows a problem that the server reports. Reasons for fields that the form does not have are shown at its foot.
export function blame(form, problem) {
  clear(form)
  const rest = Object.entries(problem.fields ?? {}).filter(([name, reason]) => !mark(form, name, String(reason)))
  const said = rest.map(([name, reason]) => `${name}: ${reason}`).join(" ")
  tell($('.problem[data-for=""]', form), { status: problem.status, message: said || problem.message })
  $("[aria-invalid=true]", form)?.focus()
}

export const fault = fields => ({ fields, message: "Correct the marked fields." })

// Sends one submission at a time, and shows its problems.
export function onSubmit(form, check, act) {
  form.addEventListener("submit", async event => {
    event.preventDefault()
    const button = $("button[data-act=submit], button:not([type=button])", form)
    if (button.disabled) return
    const faults = check()
    if (Object.keys(faults).length) return blame(form, fault(faults))
    clear(form)
    button.disabled = true
    try { await act() } catch (problem) { blame(form, problem) }
    button.disabled = false
  })
}

export const needed = (record, names) =>
  Object.fromEntries(names.filter(name => record[name] === "" || record[name] == null).map(name => [name, "This field is needed."]))

export const positive = (record, names) =>
  Object.fromEntries(names.filter(name => record[name] !== "" && !(+record[name] > 0)).map(name => [name, "Enter a number above 0."]))

// "1,3" is 1.3. "1,300" could also be 1300, so it stays as it was typed.
export const decimal = text => /^\d*,(\d{1,2}|\d{4,})$/.test(text) ? text.replace(",", ".") : text
export const doubtful = text => String(text).includes(",") && decimal(text) === text
  ? `${text} can be read in two ways. Write the number with a point, as 1.3, and nothing between thousands.` : null
