"""The lab seen from within, where its tools run and its facts are read: its walks."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from netlab import engine, reading, snapshot
from netlab import picture as pictures
from netlab.course import Graph
from netlab.errors import Missing, UsageError
from netlab.events import Event, Proved, StepEnded, WalkEnded
from netlab.host import Host
from netlab.journal import Journal
from netlab.lab import views
from netlab.lab.choice import Choice, recorded_chapters
from netlab.model import Chapter, Facts
from netlab.picture import Picture
from netlab.services import Services
from netlab.state import State
from netlab.views import PlanView, StepStatus


class Inside:
    """The lab from within. A sandbox and a real machine differ in what they add to its walks."""

    first: Facts | None = None
    """The facts that the lab host started with, where what was typed by hand since is taken back as well."""

    def __init__(self, state: State, choice: Choice | None, services: Services) -> None:
        """Raises UsageError where ``choice`` does not go with the lab that stands."""
        self._state = state
        self._choice = choice
        self._record: dict[str, Any] | None = state.read("lab.json")
        self._wanted: dict[str, Any] | None = None
        """What ``begin`` writes in the record's place."""
        if choice is not None:
            self.chapters = choice.chapters
        else:
            self.chapters = recorded_chapters(self._record) if self._record is not None else ()
        self.graph = Graph({each.name: each.needs for each in self.chapters})
        self.host = Host(services)
        self.journal = Journal(state.folder / "journal.jsonl")

    def stands_elsewhere(self, choice: Choice) -> bool:
        """Is what stands around this lab host not what ``choice`` wants there?"""
        return False

    def accept(self) -> None:
        """Take other parameters or another course, where nothing stands that was made with the old ones.

        They are on record from ``begin`` on: who only looks changes nothing.
        """
        if self._choice is None or self._record is None:
            return
        record, wanted = self._record, self._choice.record()
        elsewhere = self.stands_elsewhere(self._choice)
        if {**wanted, "version": record["version"]} == record and not elsewhere:
            return
        if record["course"] != wanted["course"]:
            changed = [f"the course is {record['course']}, and {wanted['course']} was asked for"]
        else:
            changed = list(_changes(record["parameters"], wanted["parameters"]))
            changed[8:] = ["…"] if len(changed) > 8 else []
        if elsewhere:
            raise UsageError(
                "the sandbox was made with other surroundings",
                details=changed or ["the course's surroundings have changed since"],
                hint=f"end it first: netlab sandbox end{self._state.option}",
            )
        # What only the proofs ask may change at any time.
        if record["chapters"] != wanted["chapters"] and self._stands(record):
            raise UsageError(
                "the lab stands with other parameters"
                if changed
                else "the lab stands, and its course has changed since",
                details=changed,
                hint=f"undo first: netlab undo{self._state.option}",
            )
        self._wanted = wanted

    def _stands(self, record: dict[str, Any]) -> bool:
        looks = engine.look(recorded_chapters(record), self.host)
        return bool(self.journal.entries) or any(each.begun for each in looks)

    def some(self, names: Sequence[str]) -> list[Chapter]:
        """These chapters, in this order."""
        by_name = {each.name: each for each in self.chapters}
        return [by_name[name] for name in names]

    def apply(self, until: str | None, *, prove: bool) -> Iterator[Event]:
        """Bring the lab to ``until``, then prove each step that was changed."""
        yield from self.begin()
        changed = set()
        for event in engine.apply(self.some(self.graph.until(until)), self.host, self.journal):
            if isinstance(event, StepEnded) and event.changed:
                changed.add(event.step)
            if isinstance(event, WalkEnded) and prove:
                yield from self._proved(changed, event)
            else:
                yield event

    def _proved(self, changed: set[str], ended: WalkEnded) -> Iterator[Event]:
        """The proofs of the steps that were changed, and then the end of the walk, with what they said."""
        since, ok = time.monotonic(), True
        for event in engine.prove([each for each in self.chapters if each.name in changed], self.host):
            ok = ok and (event.ok if isinstance(event, Proved) else True)
            yield event
        yield replace(ended, seconds=ended.seconds + time.monotonic() - since, ok=ok)

    def undo(self, since: str | None) -> Iterator[Event]:
        """Take back ``since`` and all that depends on it; everything for None."""
        return self.take_back(self.graph.since(since))

    def take_back(self, steps: Sequence[str]) -> Iterator[Event]:
        """Take these steps back, newest first."""
        return engine.undo(steps, self.taken(steps), self.host, self.journal)

    def begin(self) -> Iterator[Event]:
        """What has to be seen to before anything is changed: what the lab is made with is on record."""
        if self._wanted is not None:
            self._state.write("lab.json", self._wanted)
            self._wanted = None
        return iter(())

    def snapshot(self) -> snapshot.Snapshot:
        """The lab host's normal form, with every namespace in it."""
        return snapshot.take(self.host.run, sorted(reading.namespaces().live))

    def namespaces(self) -> frozenset[str]:
        """The network namespaces that are there now: the containers and the nodes around the lab host."""
        return reading.namespaces().live

    def picture(self) -> Picture:
        """The lab as it is now; what the lab host started with stands around it."""
        nodes = self.nodes()
        return pictures.picture(self.host.facts(pictures.queries(nodes)), nodes, self.around())

    def around(self) -> frozenset[str]:
        """The namespaces that the lab host started with, which are no containers."""
        return self.first.namespaces().live if self.first is not None else frozenset()

    def nodes(self) -> frozenset[str]:
        """The namespaces that belong to the lab."""
        return reading.namespaces().live

    def plan(self, until: str | None) -> PlanView:
        """What `apply` would run now."""
        return views.plan(self.some(self.graph.until(until)), self.host, self.journal)

    def status(self) -> list[StepStatus]:
        """How each step stands."""
        return [views.status_of(each, self.journal.done) for each in engine.look(self.chapters, self.host)]

    def prove(self, names: Sequence[str]) -> tuple[list[Chapter], list[str]]:
        """Which of these steps (all, for none) are done and can be proved, and which of the named ones are not."""
        for name in names:
            self.graph.check(name)
        looks = list(engine.look(self.chapters, self.host))
        done = [each.chapter for each in looks if each.state(self.journal.done) == "done"]
        wanted = [each for each in done if not names or each.name in names]
        return wanted, [name for name in names if name not in {each.name for each in done}]

    def cycle(self, names: Sequence[str]) -> Iterator[Event]:
        """Each step's proofs before it, after it, and after its undo, with only the steps that it needs in place."""
        for step in names or self.graph.order:
            yield from self.before(step)
            chapter = self.some([step])
            self._quietly(engine.apply(chapter, self.host, self.journal))
            yield from engine.prove(chapter, self.host, phase="after")
            self._quietly(engine.undo([step], self.taken([step]), self.host, self.journal))
            yield from engine.prove(chapter, self.host, phase="undone")

    def before(self, step: str) -> Iterator[Event]:
        """A step's proofs before it, with only the steps that it needs in place."""
        needs = [each for each in self.graph.until(step) if each != step]
        spare = [each for each in self.graph.since(None) if each not in needs]
        self._quietly(engine.undo(spare, self.taken(spare), self.host, self.journal))
        self._quietly(engine.apply(self.some(needs), self.host, self.journal))
        yield from engine.prove(self.some([step]), self.host, phase="before")

    def taken(self, steps: Sequence[str]) -> list[engine.Taken]:
        """What may be there to take back of these steps, newest first."""
        with contextlib.suppress(Missing):  # a full disk is no reason not to undo
            engine.settle(self.host, self.journal)
        return engine.to_take_back(self.some(steps), self.journal, self.first)

    @staticmethod
    def _quietly(events: Iterator[Event]) -> None:
        for _ in events:
            pass


def _changes(old: Any, new: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """What differs, in words, by the names that --set takes: tables in a list are counted from 1."""
    if isinstance(new, list) and isinstance(old, list) and len(new) == len(old):
        old, new = (dict(enumerate(each, 1)) for each in (old, new))
    if isinstance(new, dict) and isinstance(old, dict):
        for key in new:
            yield from _changes(old.get(key), new[key], (*path, str(key)))
    elif old != new:
        yield f"{'.'.join(path)} is {_short(old)}, and {_short(new)} was asked for"


def _short(value: object) -> str:
    text = f"{len(value)} of them" if isinstance(value, list) else str(value)
    return text if len(text) <= 200 else text[:199] + "…"
