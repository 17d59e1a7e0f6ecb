"""How each step stands: which of its operations hold, and what stands where one does not."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from netlab.events import Event
from netlab.journal import NOTHING, Journal
from netlab.model import Chapter, Command, Facts, Observation, Operation, Performed, Proof, Query

State = Literal["done", "partial", "todo", "drifted"]


class Looked(Protocol):
    """What can be looked at."""

    def facts(self, queries: Iterable[Query]) -> Facts: ...


class LabHost(Looked, Protocol):
    """What the engine needs of a host (``netlab.host.Host``)."""

    events: deque[Event]

    def forget(self) -> None: ...
    def wait(self, until: Callable[[], bool], seconds: float) -> bool: ...
    def perform(self, commands: Sequence[Command], *, together: bool = True) -> Iterator[Performed]: ...
    def left_out(self, proof: Proof) -> str: ...
    def observe(self, proofs: Sequence[Proof], *, seconds: float) -> list[Observation]: ...


def facts_for(host: Looked, operations: Iterable[Operation]) -> Facts:
    """All that these operations look at."""
    return host.facts({query for operation in operations for query in operation.queries()})


def settle(host: Looked, journal: Journal) -> None:
    """Write down what came of the commands whose end netlab has not seen: what they made, or that it was nothing."""
    unseen = journal.unseen()
    if unseen:
        facts = facts_for(host, unseen)
        journal.made({each: each.identity(facts) or NOTHING for each in unseen})


def drained(host: LabHost) -> Iterator[Event]:
    """What ran and what was tried again since the last time."""
    while host.events:
        yield host.events.popleft()


@dataclass(frozen=True, slots=True)
class Look:
    """One step as the kernel shows it: which of its operations hold, which are missing, and the facts that say so."""

    chapter: Chapter
    facts: Facts
    held: tuple[Operation, ...]
    missing: tuple[Operation, ...]

    @property
    def complete(self) -> bool:
        return not self.missing

    @property
    def begun(self) -> bool:
        """Does anything hold that an empty lab has not by itself?"""
        return any(not each.given for each in self.held)

    def state(self, done: set[str]) -> State:
        """Drifted is what was done, and no longer holds."""
        if self.begun and self.complete:
            return "done"
        if self.chapter.name in done:
            return "drifted"
        return "partial" if self.begun else "todo"

    def lacking(self) -> tuple[str, ...]:
        """What is missing, in words, with what stands there instead."""
        found = ((str(each), each.found(self.facts)) for each in self.missing)
        return tuple(f"{name} ({instead})" if instead else name for name, instead in found)


def look(chapters: Sequence[Chapter], host: Looked) -> Iterator[Look]:
    """What the kernel shows of each of these steps, read in one go."""
    facts = facts_for(host, (each for chapter in chapters for each in chapter.operations))
    for chapter in chapters:
        holds = [each.holds(facts) for each in chapter.operations]
        held = tuple(each for each, true in zip(chapter.operations, holds, strict=True) if true)
        missing = tuple(each for each, true in zip(chapter.operations, holds, strict=True) if not true)
        yield Look(chapter, facts, held, missing)
