"""What helps with a step's commands: the next hint, the words of a command, and netlab's own hand."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence

from netlab.errors import CommandFailed, Conflict, DidNotHold
from netlab.learn.desk import Desk
from netlab.learn.scenes import Ask, Key, Printed, Said, Scene, Text, Typing, Words

Running = Generator[Scene | Ask, Key | None, bool]
"""Scenes, and at last whether it went well."""


def hint(desk: Desk) -> Iterator[Scene]:
    """The next hint; after the last one, that one again."""
    hints = desk.lesson.hints
    if not hints:
        return
    number = min(desk.hints.get(desk.step, 0) + 1, len(hints))
    desk.hints[desk.step] = number
    yield Said("learn.hint", {"number": number, "total": len(hints)})
    yield Text("hints", "", hints[number - 1])


def words(desk: Desk, command: str) -> Words:
    """The command word for word."""
    about = desk.lesson.about(command)
    return Words(command, tuple((word, flag.about if flag is not None else None) for word, flag in about))


def solve(desk: Desk, places: Sequence[int]) -> Running:
    """Netlab runs these parts of the step, each shown with what it printed."""
    try:
        ran = desk.bench.run(desk.step, places)
    except (Conflict, CommandFailed, DidNotHold) as error:
        yield from _failed(desk, error)
        return False
    for number, each in enumerate(ran, 1):
        yield Typing(each.command, number, len(ran))
        yield Printed(each.said)
    return True


def run(desk: Desk, place: int) -> Running:
    """Netlab runs this part, which has been shown."""
    try:
        ran = desk.bench.run(desk.step, [place])
    except (Conflict, CommandFailed, DidNotHold) as error:
        yield from _failed(desk, error)
        return False
    yield Printed("".join(each.said for each in ran))
    return True


def _failed(desk: Desk, error: Conflict | CommandFailed | DidNotHold) -> Generator[Scene | Ask, Key | None, None]:
    """Say what went wrong; then it can be tried again. Nobody is there to do that for who is alone."""
    if desk.alone:
        raise error
    yield Said("learn.failed", {"what": error.message, "details": "; ".join(error.details)})
    yield from desk.ask("next", why="ask.again")
