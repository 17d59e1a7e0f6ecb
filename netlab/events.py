"""What happens during a walk, as frozen values: the engine yields them, render draws them, --json writes them.

``as_json(event)`` is one flat object with the event's name first: {"event": "ran", "step": "nat", …}.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Event:
    """Any of the events below."""

    name: ClassVar[str]


@dataclass(frozen=True, slots=True)
class WalkBegun(Event):
    """A walk starts; ``walk`` is "apply", "undo" or "prove", ``steps`` what it will visit, in its order."""

    name: ClassVar[str] = "begun"
    walk: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StepBegun(Event):
    """A step's turn: ``held`` of its ``total`` operations hold already; ``summary`` is its docstring's first line."""

    name: ClassVar[str] = "step"
    step: str
    summary: str
    held: int
    total: int


@dataclass(frozen=True, slots=True)
class Ran(Event):
    """One command of one operation ran. Neighbours share a process: ``seconds`` is that process's time, ``shared`` the
    number of commands that shared it. ``said`` is what it printed, where they were run one by one."""

    name: ClassVar[str] = "ran"
    step: str
    operation: str
    command: str
    seconds: float
    shared: int = 1
    said: str = ""


@dataclass(frozen=True, slots=True)
class GoneWith(Event):
    """In undo: an operation that needs no command, for what it lived in was taken back."""

    name: ClassVar[str] = "gone"
    step: str
    operation: str
    within: str


@dataclass(frozen=True, slots=True)
class Kept(Event):
    """In undo: something that is not netlab's was left as it is, and why."""

    name: ClassVar[str] = "kept"
    step: str
    operation: str
    why: str


@dataclass(frozen=True, slots=True)
class StepEnded(Event):
    """A step is done (apply) or taken back (undo): ``held`` operations needed nothing, ``changed`` were changed."""

    name: ClassVar[str] = "done"
    step: str
    held: int
    changed: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Retried(Event):
    """A command met what time heals (``reason``, the tool's own words) and is tried again after ``wait`` seconds."""

    name: ClassVar[str] = "retry"
    command: str
    reason: str
    attempt: int
    wait: float


@dataclass(frozen=True, slots=True)
class Process(Event):
    """A real process ended: what was executed (not what a person would type), its exit code and time. Shown by -v."""

    name: ClassVar[str] = "process"
    argv: str
    code: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Proved(Event):
    """A proof was run. ``expected`` and ``observed`` are words; ``phase`` is "", in a cycle before, after, undone.

    ``ok`` says that what was seen is right *for this phase*: before a step a proof is right when its probe fails.
    """

    name: ClassVar[str] = "proof"
    step: str
    probe: str
    expected: str
    observed: str
    ok: bool
    seconds: float
    phase: str = ""
    stays: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut(Event):
    """A proof that is not run on a real machine, and why."""

    name: ClassVar[str] = "left out"
    step: str
    probe: str
    why: str


@dataclass(frozen=True, slots=True)
class WalkEnded(Event):
    """A walk is over. ``changed`` counts operations changed, ``ok`` is false when a proof failed."""

    name: ClassVar[str] = "ended"
    walk: str
    changed: int
    seconds: float
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Note(Event):
    """A sentence for the person: a sandbox was made, ended, found dead."""

    name: ClassVar[str] = "note"
    text: str


def as_json(event: Event) -> dict[str, object]:
    """One flat object, the event's name first; seconds to the millisecond."""
    values = {each.name: getattr(event, each.name) for each in fields(event)}
    return {
        "event": event.name,
        **{key: round(value, 3) if isinstance(value, float) else value for key, value in values.items()},
    }
