// The number of rejected alerts, beside the name of the section.
import { get } from "../api.js"
import { $, later, put } from "../dom.js"
import { on } from "../live.js"

export async function countRejected() {
  try {
    const { count } = await get("/v3/rejected/count")
    put($("#rejected-count"), count > 99 ? "99+" : count)
    $("#rejected-count").hidden = count === 0
  } catch { /* the section shows what is wrong */ }
}

on("rejected", later(countRejected, 500))
on("resync", countRejected)
