"""The lab as a learner's bench: every look and every move takes the lab's lock for itself alone.

So a shell, and other commands, work on the same lab beside the walk. What a look finds are values: a walk keeps them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

from netlab import difference, engine, lab, picture
from netlab.difference import Said
from netlab.engine import Look
from netlab.errors import Unreadable
from netlab.events import Event, LeftOut, Proved, Ran
from netlab.foresight import foresee
from netlab.lab import Choice, HostLab, Inside, SandboxLab
from netlab.learn.progress import Progress
from netlab.learn.scenes import Phase
from netlab.model import Facts, Operation
from netlab.operations import up
from netlab.picture import Picture
from netlab.reading import NOWHERE
from netlab.views import State

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part:
    """One operation of a step as it stands. ``commands`` make it true, as a person types them.

    ``found`` says what somebody has put there instead; ``blocked``, that no command works before it is taken away.
    """

    operation: str
    commands: tuple[str, ...]
    holds: bool
    given: bool = False
    found: str = ""
    blocked: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """How the lab stands at one step: ``lacking`` are the steps that it needs and that do not hold."""

    step: str
    states: tuple[tuple[str, State], ...]
    lacking: tuple[str, ...]
    parts: tuple[Part, ...]
    probes: tuple[str, ...]
    """The step's proofs, without what stays."""
    watching: frozenset[str]
    """Those of them that tcpdump watches."""
    now: Picture
    then: Picture
    """As the lab will be when the step holds."""

    @property
    def state(self) -> State:
        return dict(self.states)[self.step]

    @property
    def complete(self) -> bool:
        """Does every operation of the step hold?"""
        return all(each.holds for each in self.parts)

    @property
    def to_do(self) -> tuple[int, ...]:
        """The parts that do not hold, by their places."""
        return tuple(number for number, each in enumerate(self.parts) if not each.holds)


class Bench(Protocol):
    """What a walk asks of the lab, and does to it. Everything raises NetlabError for what goes wrong."""

    @property
    def steps(self) -> tuple[str, ...]:
        """The course's steps in reading order."""
        ...

    def look(self, step: str) -> Standing: ...

    def prove(self, steps: Sequence[str], phase: Phase | None) -> tuple[Proved | LeftOut, ...]:
        """Run these steps' proofs: before the step they must fail. None is any time after it."""
        ...

    def run(self, step: str, parts: Sequence[int]) -> tuple[Ran, ...]:
        """Make these parts of the step true, one command after the other. Raises Conflict for what is in the way."""
        ...

    def reset(self, step: str) -> None:
        """Take the step back with all that depends on it, also what was typed by hand."""
        ...

    def goto(self, step: str) -> None:
        """Bring the lab to just before the step."""
        ...

    def said(self) -> Said:
        """What the tools say of the lab host and the containers now."""
        ...

    def remember(self, progress: Progress) -> None: ...


class Opened(Protocol):
    """Opens the lab for one look or move; ``make`` says that one may come about."""

    def __call__(self, *, make: bool) -> AbstractContextManager[SandboxLab | HostLab]: ...


class LabBench:
    """The bench in a real lab, which is made where it is gone."""

    def __init__(self, opened: Opened, choice: Choice) -> None:
        self._opened, self._choice = opened, choice
        self.steps = choice.course.graph.order

    def begin(self) -> tuple[Event, ...]:
        """See, before anything is changed, that the lab can be built here, and what to know of that.

        Raises Missing and Conflict as `apply` does.
        """
        return self._inside(_begin)

    def look(self, step: str) -> Standing:
        return self._inside(partial(_look, step=step, nodes=frozenset(self._choice.declared())))

    def prove(self, steps: Sequence[str], phase: Phase | None) -> tuple[Proved | LeftOut, ...]:
        return self._inside(partial(_prove, steps=steps, phase=phase or ""))

    def run(self, step: str, parts: Sequence[int]) -> tuple[Ran, ...]:
        return self._inside(partial(_run, step=step, parts=parts))

    def reset(self, step: str) -> None:
        self._inside(lambda inside: _through(lab.reset(inside, step)))

    def goto(self, step: str) -> None:
        self._inside(lambda inside: _through(lab.goto(inside, step, after=False)))

    def said(self) -> Said:
        asked = difference.commands(self._choice.declared())
        return self._inside(lambda inside: difference.said(asked, inside.host.run(asked)))

    def recall(self) -> Progress | None:
        """Where the learner was at last; once also when the sandbox has died meanwhile, and its folder goes."""
        with self._opened(make=False) as opened, suppress(Unreadable):  # a file that nobody can read has nothing to say
            return Progress.load(opened.state.read("progress.json"))
        return None

    def remember(self, progress: Progress) -> None:
        with self._opened(make=False) as opened:
            if opened.kept:
                opened.state.write("progress.json", progress.dump())

    def _inside(self, work: Callable[[Any], T]) -> T:
        with self._opened(make=True) as opened:
            opened.ensure(self._choice, made_by="learn")
            return opened.inside(work, self._choice)


def _begin(inside: Inside) -> tuple[Event, ...]:
    return tuple(inside.begin())


def _look(inside: Inside, *, step: str, nodes: frozenset[str]) -> Standing:
    # The containers that the step will make are looked at too: the picture of what will be has them.
    nodes |= inside.nodes()
    asked = picture.queries(nodes)
    looks = {each.chapter.name: each for each in engine.look(inside.chapters, inside.host)}
    mine = looks[step]
    chapter, around = mine.chapter, inside.around()
    facts = inside.host.facts(asked)
    then = foresee(facts, mine.missing, asked)
    needs = [each for each in inside.graph.until(step) if each != step]
    proofs = [each for each in chapter.proofs if not each.stays]
    return Standing(
        step,
        tuple((name, each.state(inside.journal.done)) for name, each in looks.items()),
        tuple(each for each in needs if not looks[each].complete),
        tuple(_part(each, mine, inside.first) for each in chapter.operations),
        tuple(map(str, proofs)),
        frozenset(str(each) for each in proofs if each.probe.watch is not None),
        picture.picture(facts, nodes, around),
        picture.picture(then, nodes, around),
    )


def _part(operation: Operation, seen: Look, first: Facts | None) -> Part:
    facts, holds = seen.facts, operation in seen.held
    commands = tuple(str(each) for each in operation.apply(NOWHERE if holds else facts))
    # What stood there at first is nobody's slip, and a card that is down is only not yet up.
    found = operation.found(facts) if not holds and not isinstance(operation, up) else ""
    if first is not None and found == operation.found(first):
        found = ""
    return Part(str(operation), commands, holds, operation.given, found, bool(found) and operation.blocked(facts))


def _prove(inside: Inside, *, steps: Sequence[str], phase: str) -> tuple[Proved | LeftOut, ...]:
    events = engine.prove(inside.some(steps), inside.host, phase=phase)
    return tuple(each for each in events if isinstance(each, Proved | LeftOut))


def _run(inside: Inside, *, step: str, parts: Sequence[int]) -> tuple[Ran, ...]:
    (chapter,) = inside.some([step])
    operations = [chapter.operations[each] for each in parts]
    walks = (engine.apply_one(chapter, each, inside.host, inside.journal) for each in operations)
    return tuple(event for walk in walks for event in walk if isinstance(event, Ran))


def _through(events: Iterable[Event]) -> None:
    for _ in events:
        pass
