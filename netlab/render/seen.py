"""Proofs as a learner sees them: red while the step is not there, green when it is, and what to compare marked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from netlab.events import Proved
from netlab.learn import scenes
from netlab.render.lines import Line, Span, cells, crop, line, pad, widest
from netlab.render.prose import hung
from netlab.words import Words

_MARKED = "bold yellow"
_LEAST = 16
"""Columns that are worth saying in what was seen."""


def seen_lines(scene: scenes.Seen, words: Words, columns: int) -> Iterator[Line]:
    """Each proof with what was seen, in a line of its own where something in it is marked, or it is long."""
    titles = words.table("proof")
    yield line((titles[scene.phase], "bold"))
    for each in scene.proofs:
        holds = _holds(each, scene.phase)
        head, style = _head(holds=holds)
        if not holds and scene.phase == "after":
            yield from hung([head], [(each.probe, style)], columns)
            yield from hung([(f"      {titles['expected']} ", "red")], [(each.expected, "")], columns)
            yield from hung(
                [(f"      {titles['observed']} ", "red")], [(each.observed or titles["nothing"], "")], columns
            )
            continue
        observed = _observed(each)
        seen = _with_marks(observed, scene.marked)
        short = [(each.probe, style), *((" — ", "dim"), *seen)] if observed else [(each.probe, style)]
        if len(seen) == 1 and cells(f"    {each.probe} — {observed}") <= columns:
            yield line(head, *short)
        else:
            yield from hung([head], [(each.probe, style)], columns)
            yield from hung([("      ", "")], seen, columns)


def summary_lines(scene: scenes.Summary, words: Words, columns: int) -> Iterator[Line]:
    """Each step with its proofs beside it, and what was seen where there is room for it."""
    yield line((words.table("proof")["summary"], "bold"))
    names = widest(step for step, _, _ in scene.steps)
    probes = widest(proof.probe for *_, proofs in scene.steps for proof in proofs)
    for number, (step, title, proofs) in enumerate(scene.steps, 1):
        yield crop(line((f"{number:>2}  {pad(step, names)}  ", "bold"), title), columns)
        for each in proofs:
            (mark, colour), style = _head(holds=each.ok)
            spans: list[Span] = [(" " * (names + 4), ""), (mark, colour)]
            room = columns - names - 8 - probes - 2
            observed = _observed(each)
            if room < _LEAST or not observed:
                yield from hung(spans, [(each.probe, style)], columns)
            else:
                yield crop(line(*spans, (pad(each.probe, probes), style), (f"  {observed}", "dim")), columns)


def _holds(proof: Proved, phase: scenes.Phase) -> bool:
    """Is what the proof shows there? Before the step a proof is right when it is not."""
    return proof.ok if phase == "after" or proof.stays else not proof.ok


def _head(*, holds: bool) -> tuple[Span, str]:
    return (("  ✓ ", "bold green"), "") if holds else (("  ✗ ", "bold red"), "red")


def _observed(proof: Proved) -> str:
    return proof.expected if proof.stays and proof.ok else proof.observed


def _with_marks(text: str, marked: Sequence[str]) -> list[Span]:
    """``text`` with what is marked in brackets, which a screen without colours shows too."""
    if not any(marked):
        return [(text, "dim")]
    either = "|".join(re.escape(each) for each in sorted(filter(None, marked), key=len, reverse=True))
    spans: list[Span] = []
    for number, part in enumerate(re.split(rf"(?<![\w.])({either})(?!\w|\.\d)", text)):
        spans.append((f"[{part}]", _MARKED) if number % 2 else (part, ""))
    return [each for each in spans if each[0]]
