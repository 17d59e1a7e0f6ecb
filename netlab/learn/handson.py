"""A step's commands, hands-on: the learner types them in a shell of their own, and netlab looks on."""

from __future__ import annotations

from netlab.learn import helping
from netlab.learn.bench import Part
from netlab.learn.desk import Again, Desk
from netlab.learn.scenes import Said, Tick, Ticks, Walk

SECONDS = 1.0
"""How often netlab looks."""


def hands_on(desk: Desk) -> Walk:
    """Each operation is ticked as it comes true, however it was typed, and in any order."""
    desk.start()
    yield Said("hands.pane") if desk.pane else Said("hands.how", {"shell": f"netlab shell{desk.option}"})
    shown: Ticks | None = None
    warned: Said | None = None
    while True:
        standing = desk.bench.look(desk.step)
        ticks = Ticks(desk.step, tuple(map(_tick, standing.parts)))
        if ticks != shown:
            yield ticks
            shown = ticks
        warning = None
        if standing.lacking:
            warning = Said("hands.drifted", {"steps": ", ".join(standing.lacking)})
        elif standing.complete:
            break
        elif any(each.blocked for each in standing.parts):
            warning = Said("hands.in_the_way")
        if warning is not None and warning != warned:
            yield warning
        warned = warning
        match (yield from desk.ask("hint", "solve", why="ask.type", seconds=SECONDS)):
            case "hint":
                yield from helping.hint(desk)
            case "solve":
                if not (yield from helping.solve(desk, standing.to_do)):
                    raise Again
    yield Said("hands.complete")
    yield from desk.ask("next", why="ask.prove")


def _tick(part: Part) -> Tick:
    if part.holds:
        return Tick(part.operation, "; ".join(part.commands), "done")
    return Tick(part.operation, "", "in the way" if part.blocked else "wrong" if part.found else "open", part.found)
