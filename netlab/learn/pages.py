"""The pages of a step that both ways of learning share: the lesson, the question, the proof, what the kernel says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from netlab.difference import difference
from netlab.events import LeftOut, Proved
from netlab.learn.desk import Desk, Turn
from netlab.learn.scenes import Changed, Drawn, Key, Phase, Question, Said, Scene, Seen, Text, Verdict, Walk

CHOICES: tuple[Key, ...] = ("1", "2", "3", "4", "5", "6", "7", "8", "9")

_WAY = re.compile(r"IP (\S+) > (\S+): ")


def lesson(desk: Desk) -> Walk:
    """What it is and why Docker needs it; then the lab, with what the step will add."""
    desk.begin()
    yield from _sections(desk, "what", "why")
    yield from desk.ask("next", why="ask.drawing")
    standing = desk.bench.look(desk.step)
    yield Drawn(standing.now, standing.then)
    yield from desk.ask("next", why="ask.question")


def question(desk: Desk) -> Walk:
    """What will the proof show now? It is run, and fails in front of the learner."""
    standing, quiz = desk.bench.look(desk.step), desk.lesson.quiz
    yield Question(next(iter(standing.probes), ""), quiz)
    if desk.step not in desk.chosen:
        pressed = yield from desk.ask(*(CHOICES[: len(quiz.choices)] or ("next",)), why="ask.choose")
        desk.chosen[desk.step] = CHOICES.index(pressed) + 1 if pressed in CHOICES else 0
    seen = desk.bench.prove([desk.step], "before")
    desk.red[desk.step] = _proofs(seen)
    yield from _seen(seen, "before")
    if not all(each.ok for each in _proofs(seen)):
        yield Said("learn.not_red")
    yield Verdict(quiz, desk.chosen[desk.step])
    yield from desk.ask("next", why="ask.type" if desk.hands_on else "ask.commands")


def proof(desk: Desk) -> Walk:
    """The proof again, passing; where tcpdump looks, what it saw before as well."""
    while True:
        standing = desk.bench.look(desk.step)
        if not standing.complete:
            raise Turn(desk.step, "commands", Said("learn.gone_again"))
        seen = desk.bench.prove([desk.step], "after")
        before = tuple(each for each in desk.red.get(desk.step, ()) if each.probe in standing.watching)
        if before:
            yield Seen(before, "before", _changed(before, _proofs(seen)))
        yield from _seen(seen, "after", _changed(_proofs(seen), before))
        if desk.alone or all(each.ok for each in _proofs(seen)):
            break
        yield Said("learn.not_green")
        yield from desk.ask("next", why="ask.again")
    yield from desk.ask("next", why="ask.kernel")


def kernel(desk: Desk) -> Walk:
    """What changed in the tools' own words, and where in Docker the step lives."""
    start = desk.starts.get(desk.step)
    if start is None:
        yield Said("learn.changes_unseen")
    else:
        yield Changed(tuple(difference(start.said, desk.bench.said())))
    yield from _sections(desk, "docker")
    if desk.alone:  # who cannot ask for the lesson gets the rest of it
        yield from _sections(desk, "look", "try")
    else:
        yield Said("learn.more")
    yield from desk.ask("next", why="ask.on")


def _sections(desk: Desk, *keys: str) -> Iterator[Scene]:
    """Sections of the lesson, as far as it has them."""
    for key in keys:
        section = desk.lesson.section(key)
        if section.blocks:
            yield Text(key, section.heading, section.blocks)


def _seen(seen: Sequence[Proved | LeftOut], phase: Phase, marked: tuple[str, ...] = ()) -> Iterator[Scene]:
    yield Seen(_proofs(seen), phase, marked)
    for each in seen:
        if isinstance(each, LeftOut):
            yield Said("learn.left_out", {"probe": each.probe, "why": each.why})


def _proofs(seen: Sequence[Proved | LeftOut]) -> tuple[Proved, ...]:
    return tuple(each for each in seen if isinstance(each, Proved))


def _changed(shown: Sequence[Proved], others: Sequence[Proved]) -> tuple[str, ...]:
    """The addresses of a captured packet that are other ones in the same proof of ``others``."""
    theirs = {each.probe: _way(each) for each in others}
    pairs = (zip(_way(each), theirs.get(each.probe, ()), strict=False) for each in shown)
    return tuple(dict.fromkeys(mine for pair in pairs for mine, other in pair if mine != other))


def _way(proof: Proved) -> tuple[str, ...]:
    """Where a captured packet came from and where it went; nothing for what is no packet."""
    found = _WAY.search(proof.observed)
    return found.groups() if found is not None else ()
