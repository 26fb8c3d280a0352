// Copies a text. If the browser does not allow it, the text is selected, so that the reader can copy it.
import { toast } from "../dialogs.js"

export async function copy(text, node, said) {
  try {
    await navigator.clipboard.writeText(text)
    toast(said)
  } catch {
    getSelection().selectAllChildren(node)
    toast("The browser does not let pages copy here. The text is selected: press Ctrl+C.")
  }
}
