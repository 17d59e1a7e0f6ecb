"""A server in a container that outlives the command, and is known by more than a pid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlsplit

from netlab import spelling
from netlab.model import Command, Facts, Json, Operation, Query, Serve


@dataclass(frozen=True)
class Service(Operation):
    """A server in ``netns`` that listens on TCP ``port``; the lab host gets 200 from it at ``url``.

    It runs in a folder of its own under netlab's state, where ``page`` is its index.html: a current folder could lend
    it files and modules. It is netlab's own when its pid *and* start time are on record; no other is ever stopped.
    """

    kind: ClassVar[str] = "service"
    netns: str
    argv: tuple[str, ...]
    port: int
    url: str
    page: str

    def __post_init__(self) -> None:
        spelling.node(self.netns)
        spelling.words(*self.argv)
        spelling.port(self.port)
        spelling.url(self.url)

    def __str__(self) -> str:
        return f"server on port {self.port} in {self.netns}"

    @property
    def patience(self) -> float:
        return 30.0  # two of them took 10 s to start on an emulated processor

    def queries(self) -> frozenset[Query]:
        listeners, fetch = Query("listeners", self.netns), Query("fetch", "", self.url)
        return frozenset({listeners, fetch, Query("service", "", self._name), Query("service", self.netns, self._name)})

    @property
    def _name(self) -> str:
        return f"{self.netns}-{self.port}"

    def _listening(self, facts: Facts) -> bool:
        return any(each.port == self.port for each in facts.listeners(self.netns))

    def holds(self, facts: Facts) -> bool:
        return self._listening(facts) and facts.status("", self.url) == 200

    def found(self, facts: Facts) -> str:
        if not self._listening(facts):
            return ""
        if facts.service(self._name, self.netns):
            return f"it listens, and the lab host gets no 200 from {self.url}"
        return f"something else listens on port {self.port} in {self.netns}, and {self.url} does not answer 200"

    def blocked(self, facts: Facts) -> bool:
        return self._listening(facts) and not facts.service(self._name, self.netns)

    def apply(self, facts: Facts) -> tuple[Command, ...]:
        # The lab host may still know the card that was there before a new cable.
        again = Command(("ip", "neigh", "flush", "to", str(urlsplit(self.url).hostname)))
        if facts.service(self._name, self.netns):  # it runs, and only cannot be reached
            return (again,)
        serve = Command(self.argv, self.netns, Serve(self._name, self.page))
        # One that lives on in a namespace which has lost its name is of no use to anybody.
        stranded = self.undo(facts, None)
        return (*stranded, again, serve) if stranded else (serve,)

    def typed(self, facts: Facts, first: Facts) -> bool:
        # Ours, though the journal knows nothing of it any more. One that netlab did not start is never stopped.
        return facts.service(self._name) != 0

    def undo(self, facts: Facts, before: Json) -> tuple[Command, ...]:
        pid = facts.service(self._name)
        # Not TERM: a server that is stopped, or hangs, would stay; and this one has nothing to put in order.
        return (Command(("kill", "-KILL", str(pid))),) if pid else ()
