"""The lab as it stands: one state folder with its sandbox, its course and its parameters, and the walks over it.

Outside the sandbox ``Lab`` finds, makes and ends it; ``Inside`` is the same lab seen from within, where the tools run.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

from netlab import engine, parameters, reading, sandbox, snapshot
from netlab.course import Course, Graph, load
from netlab.errors import UsageError
from netlab.events import Event, StepEnded
from netlab.furnish import furnish
from netlab.host import Host
from netlab.journal import Journal
from netlab.model import Chapter, Facts, Query
from netlab.operations import dump
from netlab.operations import load as load_operation
from netlab.parameters import Values
from netlab.sandbox import Holder
from netlab.services import Services
from netlab.state import State, default_base
from netlab.views import PlanView, SandboxRow, StepPlan, StepStatus

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Choice:
    """A course with the lab's parameters filled in: what somebody asked for."""

    course: Course
    values: Values
    parameters: Any
    chapters: tuple[Chapter, ...]

    @classmethod
    def of(cls, folder: Path, values: Values) -> Choice:
        """Raises CourseError and UsageError for what is wrong with either."""
        course = load(folder)
        filled = parameters.lab(course.lab_type, values)
        return cls(course, values, filled, course.chapters(filled))

    def record(self) -> dict[str, Any]:
        """What the lab's state keeps of it: enough to undo when the course is gone."""
        record = {
            "course": str(self.course.folder.resolve()),
            "values": self.values,
            "parameters": self.parameters.model_dump(mode="json"),
            "chapters": [
                {
                    "name": each.name,
                    "summary": each.summary,
                    "needs": list(each.needs),
                    "operations": [dump(operation) for operation in each.operations],
                }
                for each in self.chapters
            ],
        }
        # As it reads when it comes back: JSON has no tuples.
        as_read: dict[str, Any] = json.loads(json.dumps(record))
        return as_read


def recorded_chapters(record: dict[str, Any]) -> tuple[Chapter, ...]:
    """The chapters that ``Choice.record`` kept, without their proofs."""
    return tuple(
        Chapter(
            each["name"],
            each["summary"],
            tuple(each["needs"]),
            tuple(load_operation(operation) for operation in each["operations"]),
        )
        for each in record["chapters"]
    )


class Lab:
    """The lab whose state is in ``state``'s folder, seen from outside. Its lock is the caller's to hold."""

    def __init__(self, state: State) -> None:
        self.state = state
        state.check()

    @property
    def record(self) -> dict[str, Any] | None:
        """What ``Choice.record`` wrote when the lab was made; None without a lab."""
        record: dict[str, Any] | None = self.state.read("lab.json")
        return record

    def holder(self) -> Holder | None:
        """The living sandbox's holder."""
        record = self.state.read("sandbox.json")
        holder = Holder.load(record["holder"]) if record else None
        return holder if holder is not None and holder.alive else None

    def bury(self) -> str:
        """Where the sandbox has died, forget it, and say so; "" where none has."""
        record = self.state.read("sandbox.json")
        if record is None or Holder.load(record["holder"]).alive:
            return ""
        for name in ("lab.json", "sandbox.json", "journal.jsonl"):
            self.state.remove(name)
        pid = record["holder"]["pid"]
        return (
            f"sandbox {self.state.name!r} is gone: its holder, process {pid}, was killed or the machine restarted; "
            "all that was in it went with it"
        )

    def choose(self, folder: Path, values: Values) -> Choice:
        """The course and parameters asked for, over those that the lab was made with."""
        record = self.record
        same = record is not None and Path(record["course"]) == folder.resolve()
        return Choice.of(folder, parameters.merged(record["values"], values) if record is not None and same else values)

    def start(self, choice: Choice, *, made_by: str) -> None:
        """Make the sandbox with the course's surroundings, and write down what it started with."""
        self.state.create()
        folder = self.state.folder
        about = {"made_by": made_by, "since": time.strftime("%Y-%m-%d %H:%M:%S")}

        def keep(holder: Holder) -> None:
            self.state.write("sandbox.json", {**about, "holder": holder.dump()})
            self.state.write("lab.json", choice.record())

        holder = sandbox.start(folder, keep)
        try:
            first = sandbox.enter(holder, lambda: furnish(folder, choice.course.surroundings, choice.parameters))
        except BaseException:
            self.end()
            raise
        self.state.write("sandbox.json", {**about, "holder": holder.dump(), **first})

    def inside(self, work: Callable[[Inside], T], choice: Choice | None = None) -> T:
        """Run ``work`` on the lab from within its sandbox, in a child process; ``choice`` brings the proofs."""
        holder = self.holder()
        assert holder is not None, "inside() is for a lab that is there"
        return sandbox.enter(holder, lambda: work(Inside(self.state, choice)))

    def end(self) -> None:
        """End the sandbox, whole, and remove its state: nothing is left."""
        record = self.state.read("sandbox.json")
        if record is not None:
            sandbox.end(Holder.load(record["holder"]))
        self.state.clear()


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
                hint=f"end it first: netlab sandbox end{_named(self._state)}",
            )
        if self.journal.entries or any(each.begun for each in engine.look(recorded_chapters(self._record), self.host)):
            raise UsageError(
                "the lab stands with other parameters"
                if changed
                else "the lab stands, and its course has changed since",
                details=changed,
                hint=f"undo first: netlab undo{_named(self._state)}",
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
            yield event
        if prove and changed:
            yield from engine.prove([each for each in self.chapters if each.name in changed], self.host)

    def undo(self, since: str | None) -> Iterator[Event]:
        """Take back ``since`` and all that depends on it; everything for None."""
        steps = self.graph.since(since)
        taken = engine.to_take_back(self._some(steps), self.journal, self._first)
        yield from engine.undo(steps, taken, self.host, self.journal)

    def over(self) -> bool:
        """Did `apply` make this sandbox, is it as it started, and does nobody else run in it?"""
        if self._sandbox["made_by"] != "apply" or self.journal.entries or sandbox.others():
            return False
        self.host.forget()
        return not self.differences()

    def differences(self) -> list[str]:
        """What differs from the normal form that the sandbox started with."""
        return [str(each) for each in snapshot.compare(self._sandbox["normal"], self.snapshot()).differences]

    def snapshot(self) -> snapshot.Snapshot:
        """The lab host's normal form, with every namespace in it."""
        return snapshot.take(self.host.run, sorted(reading.namespaces().live))

    def namespaces(self) -> frozenset[str]:
        """The network namespaces that are there now: the containers and the nodes around the lab host."""
        return reading.namespaces().live

    def declared(self) -> dict[str, str]:
        """The namespaces that the course makes, with the step that makes each."""
        made = (
            (thing, each.name) for each in self.chapters for operation in each.operations for thing in operation.makes
        )
        return {thing[1]: step for thing, step in made if thing[0] == "netns"}

    def plan(self, until: str | None) -> PlanView:
        """What `apply` would run now."""
        return plan(self._some(self.graph.until(until)), self.host)

    def status(self) -> list[StepStatus]:
        """How each step stands."""
        return [_status(each, self.journal.done) for each in engine.look(self.chapters, self.host)]

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


class Nothing:
    """A lab host without a lab: nothing is there. What `plan` and `status` look at when there is no sandbox."""

    def facts(self, queries: Iterable[Query]) -> Facts:
        return reading.NOWHERE


def plan(chapters: Sequence[Chapter], host: engine.Looked) -> PlanView:
    """Per step, the commands of what is missing; those of given operations apart."""
    steps = []
    for seen in engine.look(chapters, host):
        commands = [(each.given, str(command)) for each in seen.missing for command in each.apply(seen.facts)]
        always = tuple(text for given, text in commands if not given)
        given = tuple(text for given, text in commands if given)
        steps.append(StepPlan(seen.chapter.name, seen.chapter.summary, always, given, len(seen.held)))
    return PlanView(tuple(steps))


def status(chapters: Sequence[Chapter], host: engine.Looked) -> list[StepStatus]:
    """How each step stands where nothing was ever done by netlab."""
    return [_status(each, set()) for each in engine.look(chapters, host)]


def _status(seen: engine.Look, done: set[str]) -> StepStatus:
    state = seen.state(done)
    return StepStatus(seen.chapter.name, seen.chapter.summary, state, () if state == "todo" else seen.lacking())


def rows() -> list[SandboxRow]:
    """Every sandbox of ours: those with a state folder, and holders whose folder is gone."""
    base = default_base()
    found = []
    for folder in sorted(base.iterdir()) if base.is_dir() else []:
        lab = Lab(State(base, folder.name))
        about = lab.state.read("sandbox.json")
        if about is not None:
            done = sorted(Journal(folder / "journal.jsonl").done)
            state: Literal["alive", "dead"] = "alive" if lab.holder() is not None else "dead"
            found.append(SandboxRow(folder.name, state, about["made_by"], about["since"], ", ".join(done)))
    gone = (folder for folder, _ in sandbox.strays() if not (folder / "sandbox.json").exists())
    return found + [SandboxRow(folder.name, "orphan", "", "", "") for folder in gone]


def end_stray(state: State) -> bool:
    """End a holder that was made for this folder, though the folder knows nothing of it any more."""
    found = [holder for folder, holder in sandbox.strays() if folder == state.folder]
    for holder in found:
        sandbox.end(holder)
    return bool(found)


def _named(state: State) -> str:
    return "" if state.name == "default" else f" --sandbox {state.name}"


def _short(value: object) -> str:
    text = f"{len(value)} of them: {value[0]} …" if isinstance(value, list) and len(value) > 1 else str(value)
    return text if len(text) <= 200 else text[:199] + "…"
