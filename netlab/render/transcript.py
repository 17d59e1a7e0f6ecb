"""The teaching walk as a page of Markdown: what a teacher hands out, and what is printed where no terminal is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from netlab.events import Proved
from netlab.learn.scenes import (
    Changed,
    Drawn,
    Language,
    Printed,
    Question,
    Said,
    Scene,
    Seen,
    Summary,
    Text,
    Title,
    Typing,
    Verdict,
)
from netlab.prose import PROMPT
from netlab.render.drawing import drawing
from netlab.render.markdown import fence, inline, markdown
from netlab.words import words

COLUMNS = 80


def transcript(scenes: Iterable[Scene], language: str) -> Iterator[str]:
    """The page's lines, as the scenes come. What only a person at a terminal sees has no place there."""
    page = _Page(language)
    yield f"# {page.words('transcript.title')}"
    for block in _blocks(scenes, page):
        lines = list(block)
        yield from ("", *lines) if lines else ()


def _blocks(scenes: Iterable[Scene], page: _Page) -> Iterator[Iterator[str]]:
    """Commands that follow one another stand in one console."""
    console = list[Typing | Printed]()
    for scene in scenes:
        if isinstance(scene, Typing | Printed):
            console.append(scene)
            continue
        if console:
            yield page.console(console)
            console = []
        yield page.block(scene)


def observed(scenes: Iterable[Scene], seen: list[bool]) -> Iterator[Scene]:
    """The same scenes; ``seen`` gets of each proof among them whether what was seen is right."""
    for scene in scenes:
        if isinstance(scene, Seen):
            seen += [each.ok for each in scene.proofs]
        yield scene


class _Page:
    """The page as far as it is written."""

    def __init__(self, language: str) -> None:
        self.words = words(language)

    def console(self, scenes: Iterable[Typing | Printed]) -> Iterator[str]:
        """What was typed, and what it printed."""
        yield f"### {self.words('heading.commands')}"
        yield ""
        lines = list[str]()
        for each in scenes:
            if isinstance(each, Typing):
                lines += [f"{PROMPT}{line}" for line in each.command.split("\n")]
            else:
                lines += each.text.splitlines()
        yield from fence("console", lines)

    def block(self, scene: Scene) -> Iterator[str]:
        """Any other scene; nothing for what only a person at a terminal sees."""
        match scene:
            case Title():
                yield f"## {scene.number}. {scene.title}"
            case Text():
                if scene.heading:
                    yield f"### {scene.heading}"
                    yield ""
                yield from markdown(scene.blocks)
            case Drawn():
                yield from self._drawn(scene)
            case Question():
                yield from self._question(scene)
            case Seen():
                yield from self._seen(scene)
            case Verdict() if scene.quiz.right:
                yield f"> **{scene.quiz.right}.** {inline(scene.quiz.why)}"
            case Changed():
                yield from self._changed(scene)
            case Said():
                yield self.words(scene.key, **scene.values)
            case Summary():
                yield from self._summary(scene)
            case Language():
                self.words = words(scene.code)

    def _drawn(self, scene: Drawn) -> Iterator[str]:
        shown, since = (scene.now, None) if scene.then is None else (scene.then, scene.now)
        lines = drawing(shown, since=since, columns=COLUMNS, legend=self.words("scene.legend"))
        return fence("text", (each.text.rstrip() for each in lines))

    def _question(self, scene: Question) -> Iterator[str]:
        yield f"### {self.words('heading.before')}"
        yield ""
        yield from markdown(scene.quiz.question)
        yield ""
        yield from (f"{number}. {inline(each)}" for number, each in enumerate(scene.quiz.choices, 1))

    def _seen(self, scene: Seen) -> Iterator[str]:
        before = scene.phase == "before"
        yield f"### {self.words.table('proof')[scene.phase]}"
        yield ""
        for each in scene.proofs:
            observed = each.observed
            for word in scene.marked:
                observed = observed.replace(word, f"**{word}**")
            yield f"- {_mark(each, before=before)} {each.probe}: {observed}"

    def _changed(self, scene: Changed) -> Iterator[str]:
        if not scene.changes:
            yield self.words("scene.unchanged")
            return
        yield f"### {self.words('scene.changed')}"
        yield ""
        lines = list[str]()
        for (node, command), changes in groupby(scene.changes, lambda each: (each.node, each.command)):
            lines += ["", f"# {node}: {command}", *map(str, changes)]
        yield from fence("diff", lines[1:])

    def _summary(self, scene: Summary) -> Iterator[str]:
        head = (self.words("ending.step"), self.words("ending.proof"), self.words("ending.seen"))
        yield f"| {' | '.join(head)} |"
        yield "|---|---|---|"
        for step, title, proofs in scene.steps:
            for number, each in enumerate(proofs):
                name = "" if number else f"`{step}` {title}"
                row = (name, each.probe, f"{_mark(each, before=False)} {each.observed}")
                yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
            if not proofs:
                yield f"| `{step}` {title} | {self.words('ending.none')} | |"


def _mark(proof: Proved, *, before: bool) -> str:
    """Did the probe see what the step brings about? Before it, it must not."""
    return "✓" if proof.ok != (before and not proof.stays) else "✗"
