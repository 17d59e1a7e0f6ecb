"""What the teaching walk shows and asks, as frozen values.

The walk is a generator of these. It knows nothing of a terminal; whoever draws them knows nothing of the lab, and sends
back what was pressed: ``pressed = yield Ask(…)``.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from netlab.difference import Change
from netlab.events import Proved
from netlab.lessons import Quiz
from netlab.picture import Picture
from netlab.prose import Prose, Spans
from netlab.views import State

Phase = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class Title:
    """A step's turn begins: the ``number``-th of ``total``, counted from 1. A front end may clear the screen."""

    step: str
    title: str
    number: int
    total: int


@dataclass(frozen=True, slots=True)
class Text:
    """A section of the lesson. ``key`` is its heading's in ``netlab/words``; the ``heading`` may be "", for none."""

    key: str
    heading: str
    blocks: Prose


@dataclass(frozen=True, slots=True)
class Drawn:
    """The lab as it is ``now``; with ``then``, as the step will make it, what is new there is marked."""

    now: Picture
    then: Picture | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """The question before the proof: what will ``probe`` see now?"""

    probe: str
    quiz: Quiz


@dataclass(frozen=True, slots=True)
class Verdict:
    """The choice that was taken, counted from 1 (0: none), and the quiz that knows better."""

    quiz: Quiz
    chosen: int


@dataclass(frozen=True, slots=True)
class Seen:
    """Proofs as they were seen. ``marked`` are words in them that matter: the address that was changed."""

    proofs: tuple[Proved, ...]
    phase: Phase
    marked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Typing:
    """The command that will run next, as a person would type it: the ``number``-th of ``total``."""

    command: str
    number: int
    total: int


@dataclass(frozen=True, slots=True)
class Printed:
    """What a command printed; most say nothing when all went well."""

    text: str


@dataclass(frozen=True, slots=True)
class Words:
    """A command word for word, with what explains each (None: nothing)."""

    command: str
    about: tuple[tuple[str, Spans | None], ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """What changed in the kernel, in the tools' own words."""

    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """One operation of a hands-on step. ``command`` is told only when it is "done": it is for the learner to find.

    ``why`` says what stands there instead: "eth1 has 172.168.1.11/16"."""

    operation: str
    command: str
    state: Literal["done", "open", "wrong", "in the way"]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Ticks:
    """The operations of a hands-on step as they are now; shown anew in the place of the last ones."""

    step: str
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence of the walk's own: a key of ``netlab/words`` with its placeholders' values."""

    key: str
    values: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Language:
    """From now on everything is in this language; what stands on the screen is shown anew."""

    code: str


@dataclass(frozen=True, slots=True)
class Row:
    """A step in the list of them."""

    step: str
    title: str
    state: State


@dataclass(frozen=True, slots=True)
class Listed:
    """All steps, to choose one; the ``at``-th, counted from 0, is the one that would be taken. Shown anew in the place
    of the last one: up and down move, next takes it, no closes the list."""

    rows: tuple[Row, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Summary:
    """The ending: each step with its title and its proofs, as they are seen now."""

    steps: tuple[tuple[str, str, tuple[Proved, ...]], ...]


Key = Literal[
    "next", "hint", "words", "explain", "solve", "reset", "previous", "list", "language", "quit", "up", "down", "no",
    "1", "2", "3", "4", "5", "6", "7", "8", "9",
]  # fmt: skip
"""What can be pressed, by meaning; which key that is, is the front end's affair. Numbers choose."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Which of ``keys`` is pressed? With ``seconds`` the answer after that time is None. ``why`` is a key of
    ``netlab/words``, "ask.run": what "next" does now; the other keys' names are in its table "keys"."""

    keys: tuple[Key, ...]
    why: str
    seconds: float | None = None


Scene = (
    Title | Text | Drawn | Question | Verdict | Seen | Typing | Printed | Words | Changed | Ticks | Said | Language
    | Listed | Summary
)  # fmt: skip

Walk = Generator[Scene | Ask, Key | None, None]
"""Scenes as they come; what was pressed is sent back to each Ask."""
