"""A step's commands, guided: each is shown, runs when the learner says so, and its output is shown."""

from __future__ import annotations

from netlab.learn import helping
from netlab.learn.desk import Again, Desk, Turn
from netlab.learn.scenes import Said, Text, Typing, Walk
from netlab.prose import Listing


def guided(desk: Desk) -> Walk:
    """One command after the other, until the step holds. What holds already is said, and left alone."""
    start = desk.start()
    for part in start.parts:
        if part.holds:
            yield Said("learn.given" if part.given else "learn.there", {"command": "; ".join(part.commands)})
    for number, place in enumerate(start.to_do, 1):
        yield from _one(desk, place, number, len(start.to_do))
    if desk.alone:  # who cannot ask for the words is told them all
        listings = (each for each in desk.lesson.section("commands").blocks if isinstance(each, Listing))
        yield Text("commands", "", tuple(listings))


def _one(desk: Desk, place: int, number: int, total: int) -> Walk:
    """One operation, by its commands; what helps with them is shown below them as often as it is asked for."""
    shown = ""
    while True:
        standing = desk.bench.look(desk.step)
        if standing.lacking:
            raise Turn(desk.step, "lesson", Said("learn.drifted", {"steps": ", ".join(standing.lacking)}))
        part = standing.parts[place]
        if part.holds:
            return
        command = "\n".join(part.commands)
        if command != shown:
            yield Typing(command, number, total)
            shown = command
        match (yield from desk.ask("next", "words", "hint", "solve", why="ask.run")):
            case "words":
                yield helping.words(desk, command)
            case "hint":
                yield from helping.hint(desk)
            case "solve":
                if not (yield from helping.solve(desk, standing.to_do)):
                    raise Again
            case _:
                if (yield from helping.run(desk, place)):
                    return
