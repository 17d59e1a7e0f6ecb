"""Scenes → lines, at any width from 60 columns up: what the teaching walk shows, in the learner's language."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from netlab.learn import scenes
from netlab.prose import Span
from netlab.render.drawing import drawing
from netlab.render.lines import Block, Line, cells, crop, first, line
from netlab.render.prose import WIDEST, folded, hung, prose_lines, styled
from netlab.render.seen import seen_lines, summary_lines
from netlab.render.ticks import ticks_lines
from netlab.render.wording import words_lines
from netlab.words import Words

Flowing = (
    scenes.Title | scenes.Text | scenes.Drawn | scenes.Question | scenes.Verdict | scenes.Seen | scenes.Typing
    | scenes.Printed | scenes.Words | scenes.Changed | scenes.Ticks | scenes.Said | scenes.Summary
)  # fmt: skip
"""What stays where it is shown; ticks do when all is done, and until then are drawn anew in their place."""


def scene_lines(scene: Flowing, words: Words, columns: int) -> Iterator[Line]:
    """The scene's lines. Only what a person might copy may be longer than ``columns``: a command, what one printed."""
    width = min(columns, WIDEST)
    match scene:
        case scenes.Title():
            yield from _title(scene, words, columns)
        case scenes.Text():
            if scene.heading:
                yield line((scene.heading, "bold"))
            yield from prose_lines(scene.blocks, width)
        case scenes.Drawn():
            yield from _drawn(scene, words, columns)
        case scenes.Question():
            yield from _question(scene, words, width)
        case scenes.Verdict():
            yield from _verdict(scene, words, width)
        case scenes.Seen():
            yield from seen_lines(scene, words, columns)
        case scenes.Typing():
            yield line((words("scene.command", number=scene.number, total=scene.total), "dim"))
            yield line(("$ ", "dim"), (scene.command, "bold"))
        case scenes.Printed():
            yield from _printed(scene, words)
        case scenes.Words():
            yield from words_lines(scene, width)
        case scenes.Changed():
            yield from _changed(scene, words)
        case scenes.Ticks():
            yield from ticks_lines(scene, words, columns)
        case scenes.Said():
            yield from _said(words(scene.key, **scene.values), width)
        case scenes.Summary():
            yield from summary_lines(scene, words, columns)


def _title(scene: scenes.Title, words: Words, columns: int) -> Iterator[Line]:
    """The step's title, and below it as much of a bar as the course is done with it."""
    place = words("lesson.place", number=scene.number, total=scene.total)
    room = columns - cells(scene.title) - cells(place)
    yield crop(line((scene.title, "bold"), " " * max(room, 2), (place, "dim")), columns)
    done = columns * scene.number // max(scene.total, 1)
    yield line(("━" * done, "green"), ("─" * (columns - done), "dim"))


def _drawn(scene: scenes.Drawn, words: Words, columns: int) -> Iterator[Line]:
    now, since = (scene.then, scene.now) if scene.then is not None else (scene.now, None)
    for each in drawing(now, since=since, columns=columns, legend=words("scene.legend")):
        yield from folded(each, columns)


def _question(scene: scenes.Question, words: Words, width: int) -> Iterator[Line]:
    yield line((words("heading.before"), "bold"))
    yield from prose_lines(scene.quiz.question, width)
    yield line()
    for number, choice in enumerate(scene.quiz.choices, 1):
        yield from hung([(f"  {number}  ", "bold")], styled(choice), width)
    yield line()
    yield from hung([], [(words("scene.decides", probe=scene.probe), "dim")], width)


def _verdict(scene: scenes.Verdict, words: Words, width: int) -> Iterator[Line]:
    """``chosen`` 0 is nobody's answer: then only what is right is told."""
    right = scene.chosen == scene.quiz.right
    if right:
        told = words("scene.right")
    elif scene.chosen:
        told = words("scene.wrong", right=scene.quiz.right, chosen=scene.chosen)
    else:
        told = words("scene.is", right=scene.quiz.right)
    mark, style = ("✓ ", "bold green") if right else ("→ ", "bold yellow")
    blank = " " if told.isascii() else ""  # Chinese puts none behind its full stop
    yield from hung([(mark, style)], [(f"{told}{blank}", style), *styled(scene.quiz.why)], width)


def _printed(scene: scenes.Printed, words: Words) -> Iterator[Line]:
    if not scene.text.strip():
        yield line((f"  {words('scene.silent')}", "dim italic"))
    for each in scene.text.rstrip("\n").splitlines():
        yield line(f"  {each}")


def _changed(scene: scenes.Changed, words: Words) -> Iterator[Line]:
    """The difference, below the node and the command that shows it."""
    yield line((words("scene.changed" if scene.changes else "scene.unchanged"), "bold"))
    blocks = list[Block]()
    for (node, command), group in groupby(scene.changes, key=lambda each: (each.node, each.command)):
        head = line((node, "bold"), "  ", ("$ ", "dim"), (command, "cyan"))
        rows = (line((f"  {each}", "green" if each.sign == "+" else "red")) for each in group)
        blocks.append((head, *rows))
    for block in first(blocks, everything=False):
        yield from block


def _said(text: str, width: int) -> Iterator[Line]:
    """A sentence of the catalogue; what stands between backticks is code."""
    for each in text.splitlines():
        parts: list[Span] = [(part, "code" if number % 2 else "") for number, part in enumerate(each.split("`"))]
        yield from hung([], styled(tuple(parts)), width)
