"""A bench without a lab: three steps of two operations each, which hold or do not, and lessons about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from netlab import lessons
from netlab.difference import Said as ToolsSaid
from netlab.errors import Conflict
from netlab.events import LeftOut, Proved, Ran
from netlab.learn.bench import Part, Standing
from netlab.learn.desk import Desk
from netlab.learn.progress import Progress
from netlab.learn.scenes import Ask, Key, Phase, Scene, Walk
from netlab.learn.walk import walk
from netlab.lessons import Lesson
from netlab.model import Command
from netlab.picture import NOTHING
from netlab.views import State
from netlab.words import LANGUAGES, words

STEPS = ("one", "two", "three")
LOOK = Command(("look",))


@dataclass
class FakeBench:
    """``holds`` are the parts that are true, "one.0"; ``wrong`` says what stands in another's place, ``blocked`` where
    nothing can be run; ``later`` happens at each further look, as if somebody else did it."""

    steps: tuple[str, ...] = STEPS
    holds: set[str] = field(default_factory=set)
    wrong: dict[str, str] = field(default_factory=dict)
    blocked: set[str] = field(default_factory=set)
    given: set[str] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)
    left_out: set[str] = field(default_factory=set)
    later: list[set[str]] = field(default_factory=list)
    progress: Progress | None = None
    did: list[str] = field(default_factory=list)
    """What was done to the lab, in order."""

    def complete(self, step: str) -> bool:
        return {f"{step}.0", f"{step}.1"} <= self.holds

    def look(self, step: str) -> Standing:
        if self.later:
            self.holds = self.later.pop(0)
        needs = self.steps[: self.steps.index(step)]
        return Standing(
            step,
            tuple((each, self._state(each)) for each in self.steps),
            tuple(each for each in needs if not self.complete(each)),
            tuple(self._part(f"{step}.{number}") for number in (0, 1)),
            (f"{step} answers",),
            frozenset({"two answers"}),
            NOTHING,
            NOTHING,
        )

    def _state(self, step: str) -> State:
        begun = any(each.startswith(f"{step}.") for each in self.holds)
        return "done" if self.complete(step) else "partial" if begun else "todo"

    def _part(self, name: str) -> Part:
        how = (name in self.holds, name in self.given, self.wrong.get(name, ""), name in self.blocked)
        return Part(f"operation {name}", (f"make {name}",), *how)

    def prove(self, steps: Sequence[str], phase: Phase | None) -> tuple[Proved | LeftOut, ...]:
        return tuple(self._proved(each, phase) for each in steps)

    def _proved(self, step: str, phase: Phase | None) -> Proved | LeftOut:
        probe = f"{step} answers"
        if step in self.left_out:
            return LeftOut(step, probe, "too far")
        answers = self.complete(step) and step not in self.failing
        source = "172.168.1.11" if phase == "before" else "192.168.0.10"
        seen = f"12:00 IP {source} > 10.0.0.1: ICMP" if step == "two" else "it answers" if answers else "no reply"
        return Proved(step, probe, "answers", seen, answers != (phase == "before"), 0.1, phase or "")

    def run(self, step: str, parts: Sequence[int]) -> tuple[Ran, ...]:
        names = [f"{step}.{each}" for each in parts]
        for each in names:
            if each in self.blocked:
                raise Conflict("in the way", details=(self.wrong[each],))
        self.did += [f"make {each}" for each in names]
        self.holds |= set(names)
        return tuple(Ran(step, f"operation {each}", f"make {each}", 0.1, 1, f"made {each}\n") for each in names)

    def reset(self, step: str) -> None:
        self.did.append(f"reset {step}")
        self._only(self.steps[: self.steps.index(step)])

    def goto(self, step: str) -> None:
        self.did.append(f"goto {step}")
        self._only(self.steps[: self.steps.index(step)])
        self.holds |= whole(*self.steps[: self.steps.index(step)])

    def _only(self, steps: Iterable[str]) -> None:
        self.holds = {each for each in self.holds if each.partition(".")[0] in steps}
        self.wrong.clear()
        self.blocked.clear()

    def said(self) -> ToolsSaid:
        return {LOOK: "\n".join(sorted(self.holds))}

    def remember(self, progress: Progress) -> None:
        self.progress = progress


def whole(*steps: str) -> set[str]:
    return {f"{step}.{number}" for step in steps for number in (0, 1)}


def lesson(step: str, language: str) -> Lesson:
    """A lesson with all its parts: choice 2 is right; ``make`` is explained, what is made is not."""
    heading = words(language).table("heading")
    bodies = {
        "what": f"what {step}",
        "why": f"why {step}",
        "before": "And now?\n\n1. yes\n2. no\n\n> **2.** It is not there.",
        "without": "without",
        "hints": f"1. mild\n2. plain\n3. `make {step}.0`",
        "commands": f"```console\n$ make {step}.0\n```\n\n- `make`: makes",
        "look": "look",
        "docker": "in Docker",
        "try": "try",
    }
    text = "".join(f"\n## {heading[key]}\n\n{body}\n" for key, body in bodies.items())
    return lessons.read(f"# {step} ({language})\n{text}", language)


LESSONS = {(step, language): lesson(step, language) for step in STEPS for language in LANGUAGES}


def desk(bench: FakeBench, *, hands_on: bool = False, alone: bool = False) -> Desk:
    return Desk(bench, LESSONS, "en", hands_on=hands_on, alone=alone, recalled=bench.progress)


@dataclass
class Taken:
    """What a walk showed and asked while ``keys`` were pressed; it is left when they are used up."""

    shown: list[Scene | Ask]

    def of(self, *kinds: type) -> list[Scene | Ask]:
        return [each for each in self.shown if isinstance(each, kinds)]


def take(desk: Desk, keys: Sequence[Key | None], step: str | None = None) -> Taken:
    """Walk: each key answers one question, None is a second that passes. The last question stays unanswered."""
    walking: Walk = walk(desk, step)
    shown = list[Scene | Ask]()
    waiting = list(keys)
    pressed: Key | None = None
    try:
        while True:
            scene = walking.send(pressed)
            shown.append(scene)
            pressed = None
            if isinstance(scene, Ask):
                if not waiting:
                    return Taken(shown)
                pressed = waiting.pop(0)
                assert pressed in scene.keys or (pressed is None and scene.seconds), (
                    f"{pressed} does not answer {scene}"
                )
    except StopIteration:
        assert not waiting, f"the walk was over, and {waiting} left"
        return Taken(shown)
