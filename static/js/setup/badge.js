// How many rejected alerts wait for an answer, beside the section's name.
import { get } from "../api.js"
import { $, later, put } from "../dom.js"
import { on } from "../live.js"

export const setCount = n => {
  put($("#rejected-count"), n > 99 ? "99+" : n)
  $("#rejected-count").hidden = n === 0
}

export async function countRejected() {
  try {
    setCount((await get("/v3/rejected/100")).rejected.length)
  } catch { /* the section itself says what is wrong */ }
}

on("rejected", later(countRejected, 500))
on("resync", countRejected)
