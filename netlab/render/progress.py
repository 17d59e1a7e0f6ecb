"""The lines that live below a walk while it runs: the step that runs, those that wait, and how far it has come."""

from __future__ import annotations

from netlab.render.lines import Line, Span, cells, duration, line, pad, several, widest
from netlab.render.walk import Walk

FRAMES, PLAIN_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏", "|/-\\"
BAR = 40
"""Columns of the bar where there is room."""


def progress(walk: Walk, columns: int, rows: int, *, plain: bool) -> list[Line]:
    """What is going on now, in fewer than ``rows`` lines; nothing when the walk is over."""
    if walk.over or not walk.kind:
        return []
    now = walk.clock()
    spent = duration(now - walk.began)
    frames = PLAIN_FRAMES if plain else FRAMES
    spinner = (f"{frames[int(now * 10) % len(frames)]} ", "cyan")
    if _is_proving(walk):
        step = f" {walk.proving}" if walk.proving else ""
        right = f", {several(walk.tally.right, 'proof')} right so far" if walk.tally.right else ""
        return [line(spinner, "proving", (step, "bold"), (f"  {spent}{right}", "dim"))]
    lines = _running(walk, now, spinner)
    running = walk.turn.name if walk.turn is not None else ""
    waiting = [name for name in walk.steps if name not in walk.ended and name != running]
    room = max(rows - len(lines) - 3, 0)
    shown = waiting if len(waiting) <= room else waiting[: max(room - 1, 0)]
    lines += [line((f"· {name}", "dim")) for name in shown]
    if len(shown) < len(waiting):
        lines.append(line((f"  … and {len(waiting) - len(shown)} more", "dim")))
    return [*lines, _bar(walk, columns, spent)]


def _is_proving(walk: Walk) -> bool:
    """Proofs run side by side and are told together: until then, all steps of an apply being done is the sign."""
    return bool(walk.proving) or walk.kind == "prove" or (walk.kind == "apply" and len(walk.ended) == len(walk.steps))


def _running(walk: Walk, now: float, spinner: Span) -> list[Line]:
    turn = walk.turn
    if turn is not None:
        name = (pad(turn.name, widest(walk.steps)), "bold")
        done = f"  {turn.held + len(turn.operations)} of {turn.total}  "
        spent = (f"{now - turn.began:.1f} s", "dim")
        return [line(spinner, name, done, spent, f"  {turn.summary}"), line((f"    {turn.command}", "dim"))]
    return [line(spinner, "taking back" if walk.kind == "undo" else "looking")]


def _bar(walk: Walk, columns: int, spent: str) -> Line:
    done, steps = len(walk.ended), len(walk.steps)
    words = f"  {done} of {several(steps, 'step')}, {spent}"
    width = max(min(BAR, columns - cells(words)), 0)
    full = width * done // max(steps, 1)
    return line(("━" * full, "green"), ("─" * (width - full), "dim"), (words, "dim"))
