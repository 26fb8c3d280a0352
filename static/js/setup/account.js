// The user's own account: password, second factor, API tokens and sessions.
import { call } from "../api.js"
import { toast } from "../dialogs.js"
import { $ } from "../dom.js"
import { mountFactor } from "./factor.js"
import { needed, onSubmit, values } from "./forms.js"
import { mountSessions } from "./sessions.js"
import { mountTokens } from "./tokens.js"

function mountPassword(changed) {
  const form = $("#password-form")
  onSubmit(form, () => needed(values(form), ["old_password", "password"]), async () => {
    await call("PUT", "/v3/reguser", values(form))
    form.reset()
    toast("Your password is changed.")
    changed()
  })
}

export function mount() {
  const sessions = mountSessions()
  const parts = [sessions, mountFactor(sessions), mountTokens()]
  mountPassword(sessions)
  const shown = () => parts.forEach(load => load())
  shown()
  return { shown }
}
