"""A load sent by `wrk`, which leaves the server more of the machine than Python can."""

import json
import shutil
import subprocess
import tempfile
from typing import Any

SCRIPT = """
local parts, number = {{{parts}}}, {first}
request = function()
  number = number + 1
  return table.concat(parts, string.format("%09d", number))
end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('\\n{{"seconds":%f,"count":%d,"failed":%d,"p50":%f,"p99":%f,"worst":%f}}',
    summary.duration / 1e6, summary.requests, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, latency.max / 1e3))
end
"""


def installed() -> bool:
    """Whether there is a wrk to send with."""
    return shutil.which("wrk") is not None


def run(load: Any) -> dict[str, Any]:
    """The fields of the result of a load (see `bench.load`); its pause is not kept."""
    parts = ", ".join(map(_quoted, load.request(0).split(b"0" * 9)))
    script = SCRIPT.format(parts=parts, first=load.first)
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        connections, seconds = str(load.senders), f"{load.seconds:.0f}s"
        command = ["wrk", "-t1", "-c", connections, "-d", seconds, "--timeout", "30s"]
        command += ["-s", file.name, f"http://127.0.0.1:{load.port}/"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout.splitlines()[-1])
    count, failed = told.pop("count"), told.pop("failed")
    statuses = {"2xx": count - failed} | ({"failed": failed} if failed else {})
    return {"rate": count / told.pop("seconds"), "count": count, "statuses": statuses, **told}


def _quoted(data: bytes) -> str:
    return '"' + "".join(f"\\{byte:03}" for byte in data) + '"'
