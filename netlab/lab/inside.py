"""The lab seen from within its sandbox: its walks."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from netlab import engine, reading, sandbox, snapshot
from netlab import picture as pictures
from netlab.course import Graph
from netlab.errors import UsageError
from netlab.events import Event, Kept, Proved, StepEnded, WalkEnded
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
    """The lab from within: where its tools run and its facts are read."""

    def __init__(self, state: State, choice: Choice | None) -> None:
        self._state = state
        self._choice = choice
        self._sandbox = state.read("sandbox.json")
        record = state.read("lab.json")
        self._record = record
        self.chapters = choice.chapters if choice is not None else recorded_chapters(record)
        self.graph = Graph({each.name: each.needs for each in self.chapters})
        self.host = Host(Services(state.folder / "services"))
        self.journal = Journal(state.folder / "journal.jsonl")
        self._first = Facts(reading.First(self._sandbox["first"]))
        if choice is not None:
            self._accept(choice)

    def _accept(self, choice: Choice) -> None:
        """Take other parameters or another course, where nothing stands that was made with the old ones."""
        wanted = choice.record()
        if {**wanted, "version": self._record["version"]} == self._record:
            return
        old, new = self._record["parameters"], wanted["parameters"]
        changed = [
            f"{key} is {_short(old.get(key))}, and {_short(new[key])} was asked for"
            for key in new
            if old.get(key) != new[key]
        ]
        if self._record["course"] != wanted["course"]:
            changed.insert(0, f"the course is {self._record['course']}, and {wanted['course']} was asked for")
        fixed = [key for key in choice.course.surroundings.PARAMETERS if old.get(key) != new.get(key)]
        if fixed:
            raise UsageError(
                "the sandbox was made with other surroundings",
                details=changed,
                hint=f"end it first: netlab sandbox end{self._state.option}",
            )
        if self.journal.entries or any(each.begun for each in engine.look(recorded_chapters(self._record), self.host)):
            raise UsageError(
                "the lab stands with other parameters"
                if changed
                else "the lab stands, and its course has changed since",
                details=changed,
                hint=f"undo first: netlab undo{self._state.option}",
            )
        self._state.write("lab.json", wanted)

    def _some(self, names: Sequence[str]) -> list[Chapter]:
        by_name = {each.name: each for each in self.chapters}
        return [by_name[name] for name in names]

    def apply(self, until: str | None, *, prove: bool) -> Iterator[Event]:
        """Bring the lab to ``until``, then prove each step that was changed."""
        changed = set()
        for event in engine.apply(self._some(self.graph.until(until)), self.host, self.journal):
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
        steps = self.graph.since(since)
        taken = engine.to_take_back(self._some(steps), self.journal, self._first)
        for event in engine.undo(steps, taken, self.host, self.journal):
            if isinstance(event, WalkEnded) and not self.journal.entries:
                for pid in sandbox.others():
                    yield Kept("", f"process {pid}, {sandbox.words(pid)}", "netlab did not start it")
            yield event

    def why_it_stays(self) -> str:
        """Why the sandbox stays after undo; "" when `apply` made it, it is as it began, and nobody else runs there."""
        if self.journal.entries:
            return "steps of the lab stand"
        if self._sandbox["made_by"] != "apply":
            return f"`{self._sandbox['made_by']}` made it"
        if sandbox.others():
            return "somebody's processes run in it"
        self.host.forget()
        differences = self.differences()
        return f"it is not as it started: {differences[0]}" if differences else ""

    def differences(self) -> list[str]:
        """What differs from the normal form that the sandbox started with."""
        return [str(each) for each in snapshot.compare(self._sandbox["normal"], self.snapshot()).differences]

    def snapshot(self) -> snapshot.Snapshot:
        """The lab host's normal form, with every namespace in it."""
        return snapshot.take(self.host.run, sorted(reading.namespaces().live))

    def namespaces(self) -> frozenset[str]:
        """The network namespaces that are there now: the containers and the nodes around the lab host."""
        return reading.namespaces().live

    def picture(self) -> Picture:
        """The lab as it is now; what the sandbox started with stands around it."""
        nodes, around = reading.namespaces().live, self._first.namespaces().live
        return pictures.picture(self.host.facts(pictures.queries(nodes)), nodes, around)

    def plan(self, until: str | None) -> PlanView:
        """What `apply` would run now."""
        return views.plan(self._some(self.graph.until(until)), self.host)

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
            needs = [each for each in self.graph.until(step) if each != step]
            spare = [each for each in self.graph.since(None) if each not in needs]
            self._quietly(engine.undo(spare, self._taken(spare), self.host, self.journal))
            self._quietly(engine.apply(self._some(needs), self.host, self.journal))
            chapter = self._some([step])
            yield from engine.prove(chapter, self.host, phase="before")
            self._quietly(engine.apply(chapter, self.host, self.journal))
            yield from engine.prove(chapter, self.host, phase="after")
            self._quietly(engine.undo([step], self._taken([step]), self.host, self.journal))
            yield from engine.prove(chapter, self.host, phase="undone")

    def _taken(self, steps: Sequence[str]) -> list[engine.Taken]:
        return engine.to_take_back(self._some(steps), self.journal, self._first)

    @staticmethod
    def _quietly(events: Iterator[Event]) -> None:
        for _ in events:
            pass


def _short(value: object) -> str:
    text = f"{len(value)} of them" if isinstance(value, list) else str(value)
    return text if len(text) <= 200 else text[:199] + "…"
