// Copying a text; where the browser does not let pages copy, it is selected for the reader.
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
