"""An IPv4 route of the main table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from netlab import spelling
from netlab.model import Command, Facts, Json, Operation, Query, Thing
from netlab.model import Route as Fact


@dataclass(frozen=True)
class Route(Operation):
    """``ip route add DESTINATION [via VIA] dev DEV``. A route that the kernel adds by itself holds as well."""

    kind: ClassVar[str] = "route"
    destination: str
    dev: str
    via: str = ""
    netns: str = ""
    if_missing: bool = False
    """The kernel usually adds it on behalf of an address: then this is ``given``."""

    def __post_init__(self) -> None:
        spelling.destination(self.destination)
        spelling.card(self.dev)
        spelling.stack(self.netns)
        if self.via:
            spelling.address(self.via)

    def __str__(self) -> str:
        via = f" via {self.via}" if self.via else ""
        return f"route to {self.destination}{via} by {self.dev}{f' in {self.netns}' if self.netns else ''}"

    @property
    def given(self) -> bool:
        return self.if_missing

    @property
    def within(self) -> frozenset[Thing]:
        around = frozenset({("netns", self.netns)}) if self.netns else frozenset()
        return frozenset({("link", self.netns, self.dev)}) | around

    def queries(self) -> frozenset[Query]:
        return frozenset({Query("stack", self.netns)})

    def _there(self, facts: Facts) -> list[Fact]:
        routes = facts.stack(self.netns).routes
        return [each for each in routes if each.destination == self.destination]

    def _equal(self, facts: Facts) -> list[Fact]:
        return [each for each in self._there(facts) if (each.dev, each.via) == (self.dev, self.via)]

    def holds(self, facts: Facts) -> bool:
        return bool(self._equal(facts))

    def found(self, facts: Facts) -> str:
        others = self._others(facts)
        if not others:
            return ""
        via = f" via {others[0].via}" if others[0].via else ""
        by = f" by {others[0].dev}" if others[0].dev else " no way that netlab knows"  # blackhole, several next hops, …
        return f"the route to {self.destination} goes{via}{by}"

    def _others(self, facts: Facts) -> list[Fact]:
        return [each for each in self._there(facts) if each not in self._equal(facts)]

    def blocked(self, facts: Facts) -> bool:
        # The kernel takes a second route to one place only with another metric.
        return any(not each.metric for each in self._others(facts)) and not self.holds(facts)

    def apply(self, facts: Facts) -> tuple[Command, ...]:
        via = ("via", self.via) if self.via else ()
        return (Command(("ip", "route", "add", self.destination, *via, "dev", self.dev), self.netns or None),)

    def undo(self, facts: Facts, before: Json) -> tuple[Command, ...]:
        # The kernel's own routes go with the address that brought them; a hand may have added a second one beside it.
        return self._delete(each for each in self._equal(facts) if each.protocol != "kernel")

    def clear(self, facts: Facts) -> tuple[Command, ...]:
        return self._delete(each for each in self._others(facts) if each.protocol != "kernel" and each.dev)

    def _delete(self, routes: Iterable[Fact]) -> tuple[Command, ...]:
        return tuple(
            Command(
                (
                    *("ip", "route", "del", each.destination),
                    *(("via", each.via) if each.via else ()),
                    *("dev", each.dev, "proto", each.protocol),
                    *(("metric", each.metric) if each.metric else ()),
                ),
                self.netns or None,
            )
            for each in routes
        )
