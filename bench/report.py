"""Rows of figures with their targets, and the tables made of them.

`python -m bench.report bench/results/FILE.json` prints a result's tables; with `--readme` as the
README has them, the growth of the routes summed up.
"""

import argparse
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

RESULTS = Path(__file__).parent / "results"
TITLES = {
    "ceilings": "Ceilings of this machine",
    "requests": "Requests",
    "bursts": "Bursts and long lists",
    "push": "Push",
    "weight": "Memory and start",
    "growth": "Growth from 1,000 signals to {many:,}",
    "pages": "Pages, {paged:,} signals",
    "kill": "Killed under load",
}


@dataclass
class Row:
    """One measurement: its figures, and the bounds (`<=` or `>=`, limit) that some should keep."""

    table: str
    scenario: str
    database: str
    figures: dict[str, float]
    targets: dict[str, tuple[str, float]] = field(default_factory=dict)

    @property
    def holds(self) -> bool | None:
        """Whether all targets hold; None where there is none."""
        kept = [
            self.figures[name] <= limit if sign == "<=" else self.figures[name] >= limit
            for name, (sign, limit) in self.targets.items()
        ]
        return all(kept) if kept else None

    def as_json(self) -> dict:
        """The row for the result file."""
        return asdict(self) | {"holds": self.holds}

    def cells(self, names: list[str]) -> list[str]:
        """The row of a table with these figures."""
        figures = [
            shown(name, self.figures[name]) if name in self.figures else "" for name in names
        ]
        bounds = [
            f"{name} {'≤' if sign == '<=' else '≥'} {shown(name, limit)}"
            for name, (sign, limit) in self.targets.items()
        ]
        verdict = {True: "yes", False: "**no**", None: ""}[self.holds]
        return [self.scenario, self.database, *figures, "; ".join(bounds), verdict]


def shown(name: str, value: float) -> str:
    """A figure as a table shows it, by what its name says of its unit."""
    if name.startswith(("share", "growth")):
        return f"{value:+.0%}" if name == "growth" else f"{value:.0%}"
    if name.endswith(("ms", "a commit")):
        return f"{value:,.1f}"
    if name.endswith(" s"):
        return f"{value:.2f}"
    return f"{value:,.0f}"


def table(rows: list[Row]) -> list[str]:
    """The lines of a Markdown table."""
    names = list(dict.fromkeys(name for row in rows for name in row.figures))
    head = ["scenario", "database", *names, "target", "holds"]
    lines = [head, ["---"] * len(head), *(row.cells(names) for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines]


def summed_up(rows: list[Row]) -> list[str]:
    """For each database: how many routes grow by how much, and those that grow too much."""
    lines = []
    for database in dict.fromkeys(row.database for row in rows):
        mine = [row for row in rows if row.database == database]
        middle = median(row.figures["growth"] for row in mine)
        over = [
            f"`{row.scenario}` {row.figures['growth']:+.0%} ({row.figures['many p50 ms']:.1f} ms)"
            for row in mine
            if row.holds is False
        ]
        beyond = f"Beyond 15 %: {', '.join(over)}." if over else "None beyond 15 %."
        lines.append(f"- {database}: {len(mine)} routes, median {middle:+.0%}. {beyond}")
    return lines


def markdown(result: dict, readme: bool = False) -> str:
    """A result's tables."""
    rows = [Row(**{k: v for k, v in row.items() if k != "holds"}) for row in result["rows"]]
    machine, versions = result["machine"], result["versions"]
    lines = [
        f"{result['date']}, commit {result['commit'][:10]}{'+' * result['commit'].endswith('+')}, "
        f"{machine['cores']} cores ({machine['cpu']}), {machine['kernel']}, "
        + ", ".join(f"{name} {number}" for name, number in versions.items())
        + f"; {result['seconds'] / 60:.0f} minutes{'; QUICK' * result['quick']}."
    ]
    for name, title in TITLES.items():
        if mine := [row for row in rows if row.table == name]:
            folded = readme and name == "growth"
            shown_as = summed_up(mine) if folded else table(mine)
            lines += ["", f"### {title.format(**result['plan'])}", "", *shown_as]
    missed = [
        f"{row.scenario} ({row.database})"
        for row in rows
        if row.holds is False and not (readme and row.table == "growth")
    ]
    lines += ["", f"Targets missed: {', '.join(missed) or 'none'}."]
    lines += [f"FAILED: {failure}" for failure in result["failures"]]
    return "\n".join(lines)


def write(result: dict, kind: str) -> Path:
    """Keeps a result in a file of its own."""
    RESULTS.mkdir(exist_ok=True)
    moment = result["date"][:19].replace(" ", "-").replace(":", "")
    file = RESULTS / f"{kind}-{moment}.json"
    file.write_text(json.dumps(result, indent=1) + "\n")
    return file


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.report")
    parser.add_argument("file", type=Path, help="a result, as JSON")
    parser.add_argument("--readme", action="store_true", help="sum up the growth of the routes")
    given = parser.parse_args()
    print(markdown(json.loads(given.file.read_text()), given.readme))
