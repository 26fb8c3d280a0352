// How many rejected alerts wait for an answer, beside the section's name.
import { get } from "../api.js"
import { $, later, put } from "../dom.js"
import { on } from "../live.js"

export async function countRejected() {
  try {
    const { count } = await get("/v3/rejected/count")
    put($("#rejected-count"), count > 99 ? "99+" : count)
    $("#rejected-count").hidden = count === 0
  } catch { /* the section itself says what is wrong */ }
}

on("rejected", later(countRejected, 500))
on("resync", countRejected)
