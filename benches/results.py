"""What was measured, and the tables that show it."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Case:
    """One thing to measure: a column of a table."""

    mode: str
    name: str
    table: str
    column: str
    arguments: tuple[str, ...]
    figure: str
    """The name of the figure in the load generator's line, and by what it is divided for the table."""
    unit: float
    decimals: int = 2
    new_server: bool = False
    """Memory that a server got for earlier clients would hide what these cost."""


@dataclass
class Results:
    servers: list[str]
    reference: str
    lines: dict[tuple[str, str], dict[int, dict[str, Any]]] = field(default_factory=dict)
    failures: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, case: Case, server: str, number: int, line: dict[str, Any]) -> None:
        self.lines.setdefault((case.name, server), {})[number] = line

    def fail(self, case: Case, server: str, reason: str) -> None:
        self.failures.setdefault((case.name, server), reason)

    def failed(self, case: Case, server: str) -> bool:
        return (case.name, server) in self.failures

    def figures(self, case: Case, server: str) -> dict[int, float]:
        """By the number of the sample."""
        lines = self.lines.get((case.name, server), {})
        return {number: line[case.figure] / case.unit for number, line in lines.items()}

    def ratio(self, case: Case, server: str) -> float | None:
        """To the reference, sample by sample: what slows all down for a while does not count."""
        ours, theirs = self.figures(case, server), self.figures(case, self.reference)
        pairs = [
            ours[number] / theirs[number] for number in ours.keys() & theirs.keys() if theirs[number] > 0
        ]
        return statistics.median(pairs) if pairs else None

    def cell(self, case: Case, server: str) -> str:
        figures = self.figures(case, server).values()
        if self.failed(case, server) or not figures:
            return "failed"
        ratio = self.ratio(case, server)
        shown = [f"{value:.{case.decimals}f}" for value in (statistics.median(figures), min(figures))]
        return f"{shown[0]} ({shown[1]})" + (f" {ratio:.2f}x" if ratio is not None else "")

    def tables(self, cases: list[Case], *, markdown: bool) -> str:
        blocks = []
        for title in dict.fromkeys(case.table for case in cases):
            columns = [case for case in cases if case.table == title]
            rows = [["server", *(case.column for case in columns)]]
            rows += [[server, *(self.cell(case, server) for case in columns)] for server in self.servers]
            blocks.append(markdown_table(title, rows) if markdown else plain_table(title, rows))
        reasons: dict[str, list[str]] = {}
        for (name, server), reason in self.failures.items():
            reasons.setdefault(f"{server}: {reason}", []).append(name)
        if reasons:
            lines = [f"- {reason} ({'; '.join(names)})" for reason, names in sorted(reasons.items())]
            blocks.append("\n".join(["Failed:", *lines]))
        return "\n\n".join(blocks)

    def as_json(self, cases: list[Case]) -> list[dict[str, Any]]:
        return [
            {
                "case": case.name,
                "server": server,
                "figure": case.figure,
                "median": statistics.median(figures) * case.unit if figures else None,
                "min": min(figures) * case.unit if figures else None,
                "ratio": self.ratio(case, server),
                "failure": self.failures.get((case.name, server)),
                "samples": list(self.lines.get((case.name, server), {}).values()),
            }
            for case in cases
            for server in self.servers
            for figures in [self.figures(case, server).values()]
        ]


def plain_table(title: str, rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return "\n".join([title, *lines])


def markdown_table(title: str, rows: list[list[str]]) -> str:
    head, *body = [f"| {' | '.join(row)} |" for row in rows]
    rule = "|" + "|".join([" --- ", *(" ---: " for _ in rows[0][1:])]) + "|"
    return "\n".join([f"**{title}**", "", head, rule, *body])
