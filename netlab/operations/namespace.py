"""A network namespace: the container's own network stack, known by a name under /run/netns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from netlab import spelling
from netlab.model import Command, Facts, Json, Operation, Query, Thing


@dataclass(frozen=True)
class Namespace(Operation):
    """``ip netns add NAME``."""

    kind: ClassVar[str] = "namespace"
    name: str

    def __post_init__(self) -> None:
        spelling.namespace(self.name)

    def __str__(self) -> str:
        return f"network namespace {self.name}"

    @property
    def makes(self) -> frozenset[Thing]:
        return frozenset({("netns", self.name)})

    def queries(self) -> frozenset[Query]:
        return frozenset({Query("namespaces")})

    def holds(self, facts: Facts) -> bool:
        return self.name in facts.namespaces().live

    def found(self, facts: Facts) -> str:
        if self.name in facts.namespaces().torn:
            return f"/run/netns/{self.name} is a plain file, left by an `ip netns add` that was cut short"
        if self.name in facts.namespaces().foreign:
            return f"/run/netns/{self.name} is a link or file, or a namespace of another mount namespace"
        return ""

    def blocked(self, facts: Facts) -> bool:
        return self.name in facts.namespaces().foreign

    def identity(self, facts: Facts) -> str:
        return facts.namespaces().born.get(self.name, "")

    def apply(self, facts: Facts) -> tuple[Command, ...]:
        # `ip netns add` refuses a name whose file is there, and `ip netns del` is what clears a torn one.
        clear = (Command(("ip", "netns", "del", self.name)),) if self.found(facts) else ()
        return (*clear, Command(("ip", "netns", "add", self.name)))

    def undo(self, facts: Facts, before: Json) -> tuple[Command, ...]:
        there = facts.namespaces().live | facts.namespaces().torn
        return (Command(("ip", "netns", "del", self.name)),) if self.name in there else ()
