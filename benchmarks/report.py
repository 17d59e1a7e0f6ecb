"""What the times come to: medians, ratios, growth, and the targets. Pure: values in, Markdown out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

PLAIN = ("up", "down")
COLUMNS = (*PLAIN, "apply", "again", "status", "undo")
AGAINST = {"apply": "up", "again": "up", "status": "up", "undo": "down"}
"""What of the plain script each of netlab's commands is set against."""

PEAK = 150.0
HELP = 0.25
AT_MOST = {(2, "apply"): 0.6, (2, "again"): 0.45, (500, "again"): 2.0}
TIMES = {(100, "apply"): 4.0, (100, "undo"): 8.0, (500, "apply"): 10.0, (500, "undo"): 20.0}
"""The issue's targets: seconds, and how many times faster than the script."""


@dataclass(slots=True)
class Size:
    """All that was measured with ``count`` containers; ``failed`` says what went wrong, "" for nothing."""

    count: int
    times: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in COLUMNS})
    peak: float = 0.0
    failed: str = ""

    def middle(self, column: str) -> float | None:
        return median(self.times[column]) if self.times[column] else None

    def faster(self, column: str) -> float | None:
        """How many times faster than the script's half that it is set against."""
        plain, own = self.middle(AGAINST[column]), self.middle(column)
        return plain / own if plain and own else None


def lines(sizes: Sequence[Size], helps: Sequence[float]) -> Iterator[str]:
    """The whole report."""
    yield "Medians, in seconds; (×: how many times faster than the plain script's half that it stands against)"
    yield ""
    head = ("N", "rounds", "script up", "script down", "apply", "apply again", "status", "undo", "peak MB")
    yield from table(head, [_row(size) for size in sizes])
    yield ""
    yield "Growth: milliseconds a container (and the exponent of N since the size above: 1 is linear)"
    yield ""
    rows = [_growth(size, before) for size, before in zip(sizes, (None, *sizes), strict=False)]
    yield from table(("N", "script up", "script down", "apply", "apply again", "status", "undo"), rows)
    yield ""
    yield "Targets"
    yield ""
    yield from table(("what", "target", "measured", ""), list(targets({each.count: each for each in sizes}, helps)))
    yield from (f"\nN = {size.count} failed: {size.failed}" for size in sizes if size.failed)


def _row(size: Size) -> list[str]:
    rounds = len(size.times["undo"])
    cells = [_seconds(size.middle(column)) + _ratio(size, column) for column in COLUMNS]
    return [str(size.count), str(rounds), *cells, f"{size.peak:.0f}" if size.peak else "–"]


def _ratio(size: Size, column: str) -> str:
    faster = size.faster(column) if column in AGAINST else None
    return f" (×{faster:.{1 if faster < 10 else 0}f})" if faster else ""


def _growth(size: Size, before: Size | None) -> list[str]:
    cells = []
    for column in COLUMNS:
        now, then = size.middle(column), before.middle(column) if before else None
        text = f"{now / size.count * 1000:.1f}" if now else "–"
        if now and then and before:
            text += f" ({math.log(now / then) / math.log(size.count / before.count):.2f})"
        cells.append(text)
    return [str(size.count), *cells]


def targets(sizes: Mapping[int, Size], helps: Sequence[float]) -> Iterator[list[str]]:
    """A row for each of the issue's targets that was measured: what, target, measured, met or missed by how much."""
    for (count, column), most in AT_MOST.items():
        middle = sizes[count].middle(column) if count in sizes else None
        if middle is not None:
            yield [f"{count}: {_words(column)}", f"{most:g} s", f"{middle:.2f} s", _judged(middle, most, "s")]
    for (count, column), least in TIMES.items():
        faster, middle = (sizes[count].faster(column), sizes[count].middle(column)) if count in sizes else (None, None)
        if faster is not None and middle is not None:
            wanted = middle * faster / least
            target, measured = f"{least:g} × ({wanted:.2f} s)", f"{faster:.1f} × ({middle:.2f} s)"
            yield [f"{count}: {_words(column)}", target, measured, _judged(middle, wanted, "s")]
    if 1000 in sizes:
        yield ["1000 containers", "works", "failed" if sizes[1000].failed else "works", _met(not sizes[1000].failed)]
    peak = max((size.peak for size in sizes.values()), default=0.0)
    if peak:
        yield ["peak memory", f"{PEAK:.0f} MB", f"{peak:.0f} MB", _judged(peak, PEAK, "MB")]
    if helps:
        yield ["--help", f"{HELP:g} s", f"{median(helps):.2f} s", _judged(median(helps), HELP, "s")]


def _words(column: str) -> str:
    return {"again": "apply again"}.get(column, column)


def _met(met: bool) -> str:
    return "met" if met else "missed"


def _judged(value: float, most: float, unit: str) -> str:
    over = f"{value - most:.2f}" if unit == "s" else f"{value - most:.0f}"
    return "met" if value <= most else f"missed by {over} {unit}"


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A Markdown table whose columns line up in plain text, too."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]

    def put(cells: Iterable[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    yield put(head)
    yield "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    yield from map(put, rows)
