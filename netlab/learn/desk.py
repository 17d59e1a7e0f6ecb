"""The learner at the desk: where they are, in which language, and the keys that mean the same everywhere."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

from netlab.difference import Said as ToolsSaid
from netlab.events import Proved
from netlab.learn.bench import Bench, Part
from netlab.learn.progress import Page, Progress
from netlab.learn.scenes import Ask, Key, Language, Listed, Row, Said, Scene, Text, Walk
from netlab.lessons import Lesson

ANYWHERE: tuple[Key, ...] = ("explain", "reset", "previous", "list", "language", "quit")
"""The keys that mean the same on every page."""

Asking = Generator[Scene | Ask, Key | None, Key | None]
"""Scenes, and at last the key that was pressed."""


class Turn(Exception):
    """The learner turns to a page of a step; ``said`` is shown there first."""

    def __init__(self, step: str, page: Page, *said: Said) -> None:
        super().__init__(step, page)
        self.step, self.page, self.said = step, page, said


class Again(Exception):
    """The page is shown anew."""


class Left(Exception):
    """The learner leaves."""


@dataclass(frozen=True, slots=True)
class Start:
    """A step's operations as they stood when its commands began, and what the tools said then."""

    parts: tuple[Part, ...]
    said: ToolsSaid

    @property
    def to_do(self) -> tuple[int, ...]:
        """The places of those that did not hold."""
        return tuple(number for number, each in enumerate(self.parts) if not each.holds)


@dataclass
class Desk:
    """One learner. ``lessons`` are the course's, by step and language. ``alone``: nobody is there to be asked."""

    bench: Bench
    lessons: Mapping[tuple[str, str], Lesson]
    language: str
    hands_on: bool = False
    alone: bool = False
    option: str = ""
    """What names this lab to a command."""
    pane: bool = False
    """One is open already, in a pane beside it."""
    recalled: Progress | None = None
    """Where the learner was at last."""
    step: str = ""
    page: Page = "lesson"
    chosen: dict[str, int] = field(default_factory=dict)
    """What was answered, by step."""
    hints: dict[str, int] = field(default_factory=dict)
    """How many hints were seen, by step."""
    red: dict[str, tuple[Proved, ...]] = field(default_factory=dict)
    """What the proofs showed before a step."""
    starts: dict[str, Start] = field(default_factory=dict)
    """How the commands of a step began."""

    @property
    def lesson(self) -> Lesson:
        return self.lessons[self.step, self.language]

    def title(self, step: str) -> str:
        return self.lessons[step, self.language].title

    def at(self, step: str, page: Page) -> None:
        """The learner is here now; it is kept, but for who is alone, and has no place to come back to."""
        self.step, self.page = step, page
        if not self.alone:
            self.bench.remember(Progress(step, page, self.language))

    def start(self) -> Start:
        """How this step's commands began: now, unless they have begun already."""
        if self.step not in self.starts:
            self.starts[self.step] = Start(self.bench.look(self.step).parts, self.bench.said())
        return self.starts[self.step]

    # --- asking ------------------------------------------------------------------------------------------------------

    def ask(self, *keys: Key, why: str, seconds: float | None = None) -> Asking:
        """What is pressed of ``keys``; what means the same everywhere is done here. Raises Turn, Again and Left."""
        while True:
            pressed = yield Ask((*keys, *(each for each in ANYWHERE if each not in keys)), why, seconds)
            match pressed:
                case _ if pressed is None or pressed in keys:
                    return pressed
                case "explain":
                    yield from self._explained()
                    raise Again
                case "reset":
                    self.reset()
                case "previous":
                    raise Turn(self._previous(), "lesson")
                case "list":
                    yield from self._listed()  # closed again: it leaves the page as it was
                case "language":
                    self._next_language()
                    self.at(self.step, self.page)
                    yield Language(self.language)
                    raise Again
                case "quit":
                    raise Left

    def reset(self) -> NoReturn:
        """Take the step back. The learner begins it anew where its commands are, or is where they were before them."""
        self.bench.reset(self.step)
        self.starts.pop(self.step, None)
        page: Page = self.page if self.page in ("lesson", "question") else "commands"
        raise Turn(self.step, page, Said("learn.reset"))

    def begin(self) -> None:
        """The step is begun anew: what was seen of it counts no more."""
        for each in (self.chosen, self.hints, self.red, self.starts):
            each.pop(self.step, None)

    def _previous(self) -> str:
        steps = self.bench.steps
        return steps[max(steps.index(self.step) - 1, 0)] if self.page != "ending" else steps[-1]

    def _next_language(self) -> None:
        there = [language for step, language in self.lessons if step == self.step]
        self.language = there[(there.index(self.language) + 1) % len(there)]

    def _explained(self) -> Walk:
        """The whole lesson."""
        yield from (Text(each.key, each.heading, each.blocks) for each in self.lesson.headings)
        if (yield Ask(("next", "quit"), "ask.back")) == "quit":
            raise Left

    def _listed(self) -> Walk:
        """The list of steps. Raises Turn to the one that was chosen."""
        states = self.bench.look(self.step).states
        rows = tuple(Row(step, self.title(step), state) for step, state in states)
        at = [each.step for each in rows].index(self.step)
        while True:
            yield Listed(rows, at)
            match pressed := (yield Ask(("up", "down", "next", "no", "quit"), "ask.jump")):
                case "up" | "down":
                    at = (at + (1 if pressed == "down" else -1)) % len(rows)
                case "next":
                    raise Turn(rows[at].step, "lesson")
                case "quit":
                    raise Left
                case _:
                    return
