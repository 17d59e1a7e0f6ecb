"""A walk from a script, for what draws and asks: as the teaching walk, and without a lab."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from netlab.learn import scenes
from netlab.words import LANGUAGES
from tests.render import sample

KEYS: tuple[scenes.Key, ...] = ("next", "words", "explain", "previous", "list", "language", "quit")
PRINTED = "net.ipv4.ip_forward = 1\n"


def walk(
    steps: Sequence[str] = ("forwarding", "nat"), language: str = "en"
) -> Generator[scenes.Scene | scenes.Ask, scenes.Key | None, None]:
    """Each step as the course has it. ``quit`` ends it anywhere, ``language`` begins the step anew in the other one."""
    at = 0
    while at < len(steps):
        pressed = yield from _step(steps[at], language)
        if pressed == "quit":
            return
        if pressed == "language":
            language = LANGUAGES[1 - LANGUAGES.index(language)]
            yield scenes.Language(language)
        else:
            at = max(at - 1, 0) if pressed == "previous" else at + 1
    yield sample.summary(language)
    yield scenes.Ask(("next", "quit"), "keys.more")


def _step(step: str, language: str) -> Generator[scenes.Scene | scenes.Ask, scenes.Key | None, scenes.Key | None]:
    lesson = sample.lesson(step, language)
    yield scenes.Title(step, lesson.title, sample.STEPS.index(step) + 1, len(sample.STEPS))
    for key in ("what", "why"):
        yield sample.text(step, language, key)
    yield scenes.Drawn(*sample.pictures()[step])
    pressed = yield from _ask(KEYS)
    if pressed != "next":
        return pressed
    yield scenes.Question("container1 pings 114.114.114.114", lesson.quiz)
    numbers: tuple[scenes.Key, ...] = ("1", "2", "3")
    pressed = yield from _ask((*numbers[: len(lesson.quiz.choices)], "quit"))
    if pressed not in numbers:
        return pressed
    yield scenes.Verdict(lesson.quiz, int(pressed))
    yield scenes.Seen(sample.proved("before"), "before", sample.MARKED["before"])
    for number, command in enumerate(lesson.commands, 1):
        yield scenes.Typing(command.command, number, len(lesson.commands))
        pressed = yield from _ask(KEYS)
        while pressed in ("words", "explain", "list"):
            if pressed == "words":
                yield sample.words_of(step, language, command.command)
            elif pressed == "list":
                yield from _list(language)
            else:
                for section in lesson.headings:
                    yield scenes.Text(section.key, section.heading, section.blocks)
            pressed = yield from _ask(KEYS)
        if pressed != "next":
            return pressed
        yield scenes.Printed(command.output)
    yield scenes.Seen(sample.proved("after"), "after", sample.MARKED["after"])
    yield scenes.Changed(sample.CHANGES)
    pressed = yield from _ask(KEYS)
    return pressed


def _list(language: str) -> Generator[scenes.Scene | scenes.Ask, scenes.Key | None, None]:
    at = 3
    while True:
        yield sample.listed(language, at)
        pressed = yield scenes.Ask(("up", "down", "next", "no"), "keys.list")
        if pressed in ("next", "no"):
            return
        at = (at + (1 if pressed == "down" else -1)) % len(sample.STEPS)


def _ask(keys: tuple[scenes.Key, ...]) -> Generator[scenes.Scene | scenes.Ask, scenes.Key | None, scenes.Key | None]:
    pressed = yield scenes.Ask(keys, "keys.more")
    return pressed


def hands_on() -> Generator[scenes.Scene | scenes.Ask, scenes.Key | None, None]:
    """Ticks that come true one at each look, and are told again by "hint"."""
    yield scenes.Title("addresses", sample.lesson("addresses", "en").title, 3, 11)
    yield scenes.Said("scene.silent")
    ticks = list(sample.TICKS.ticks)
    pressed: scenes.Key | None = None
    for number, tick in enumerate(ticks):
        yield scenes.Ticks("addresses", tuple(ticks))
        pressed = yield scenes.Ask(("hint", "quit"), "keys.move", 0.05)
        while pressed != "hint":
            if pressed == "quit":
                return
            pressed = yield scenes.Ask(("hint", "quit"), "keys.move", 0.05)
        yield scenes.Said("lesson.place", {"number": number, "total": len(ticks)})
        ticks[number] = scenes.Tick(tick.operation, "the command", "done")
    yield scenes.Ticks("addresses", tuple(ticks))
    yield scenes.Said("scene.unchanged")
    yield scenes.Ask(("next",), "keys.more")
