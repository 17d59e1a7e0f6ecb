"""The words everything else is written in: frozen values and protocols, no I/O.

A step declares operations and proofs; an operation knows how to tell whether it holds, what makes it true and what
takes it back; facts are what the kernel said when it was asked. Nothing here runs anything.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Literal, Protocol, TypeVar

T = TypeVar("T")

Json = Any
"""A value that JSON can hold: what an operation remembers of the state before it."""


@dataclass(frozen=True, slots=True)
class Serve:
    """How a server is started aside: ``name`` is its record's and its folder's, ``page`` the folder's index.html."""

    name: str
    page: str


@dataclass(frozen=True, slots=True)
class Command:
    """One real command: an argv and the network namespace it runs in (``None`` is the lab host's own stack).

    ``str()`` is what a person would type on the lab host, and can be pasted into a shell there.
    """

    argv: tuple[str, ...]
    netns: str | None = None
    serve: Serve | None = None
    """Set for a server: it is started aside and outlives netlab."""

    def __str__(self) -> str:
        where = ("ip", "netns", "exec", self.netns) if self.netns is not None else ()
        return shlex.join((*where, *self.argv))


@dataclass(frozen=True, slots=True)
class Result:
    """What a finished process left: exit code, both outputs whole, wall time in seconds.

    What signal N killed has code 128 + N, as a shell reports it; the whole of a call that was killed, -N.
    """

    code: int
    stdout: str
    stderr: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Performed:
    """A command that changed something: its process took ``seconds``, and ``shared`` commands were in it.

    ``said`` is what it printed, where it had a process to itself.
    """

    command: Command
    seconds: float
    shared: int = 1
    said: str = ""


Runner = Callable[[Sequence[Command]], Sequence[Result]]
"""Runs commands that only look, side by side, and returns their results in order. Never raises for an exit code: a
program that is not there is code 127 with the reason on stderr, a namespace that is not there another than 0."""


# --- facts -----------------------------------------------------------------------------------------------------------

QueryKind = Literal["namespaces", "stack", "listeners", "sysctl", "iptables", "chains", "fetch", "service"]


@dataclass(frozen=True, slots=True, order=True)
class Query:
    """One question to the kernel.

    ========== ================================================ ==============================
    kind       what is asked (``key``)                          the answer's type
    ========== ================================================ ==============================
    namespaces names under /run/netns (host only)               Namespaces
    stack      links, addresses, IPv4 routes of ``netns``       Stack
    listeners  listening TCP sockets of ``netns``               frozenset[Listener]
    sysctl     ``key``: a name, or a name with one ``*`` in it  Mapping[str, str]
    iptables   ``key``: a table, as iptables-save shows it      Table
    chains     base chains nftables really has (host only)      frozenset[tuple[table, chain]]
    fetch      ``key``: a URL, fetched from ``netns``           int, the HTTP status, 0: none
    service    ``key``: a server that netlab started; with      int, its pid, 0: not running
               ``netns`` only one that is in there
    ========== ================================================ ==============================
    """

    kind: QueryKind
    netns: str = ""
    """A network namespace's name; "" is the lab host's own stack."""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Namespaces:
    """Network namespaces by name. ``torn`` are plain files in /run/netns: a half-made ``add``, which ``del`` clears."""

    live: frozenset[str] = frozenset()
    torn: frozenset[str] = frozenset()
    foreign: frozenset[str] = frozenset()
    """What else is in /run/netns: links, files that are not empty, what only another mount namespace can enter."""
    born: Mapping[str, str] = field(default_factory=dict, compare=False)
    """What tells each living one from another that had, or will have, its name."""


@dataclass(frozen=True, slots=True)
class Link:
    """A card as ``ip -o -d link`` shows it. ``kind`` is "veth", "bridge", "loopback", …, or "" for a real card."""

    name: str
    index: int
    kind: str
    up: bool
    master: str = ""
    peer_index: int = 0
    """The other end's index in its own namespace, 0 for none (``eth1@if4``)."""
    peer_name: str = ""
    """The other end's name when it is in the same namespace (``veth1@eth1``)."""
    group: str = "default"
    peer_netns: str = field(default="", compare=False)
    """The other end's namespace, "" where that is not known. As parsed, "#0" where ip knows but its number."""


@dataclass(frozen=True, slots=True)
class Address:
    """``cidr`` is the address with its prefix length, "172.168.1.11/24"."""

    dev: str
    cidr: str


@dataclass(frozen=True, slots=True)
class Route:
    """An IPv4 route of the main table. ``destination`` is "default" or a network; ``protocol`` "kernel", "boot", …."""

    destination: str
    dev: str
    via: str = ""
    protocol: str = "boot"
    metric: str = ""


@dataclass(frozen=True, slots=True)
class Stack:
    """One network namespace's links, addresses and routes. A namespace that does not exist has ``exists=False``."""

    links: Mapping[str, Link] = field(default_factory=dict)
    addresses: tuple[Address, ...] = ()
    routes: tuple[Route, ...] = ()
    exists: bool = True


@dataclass(frozen=True, slots=True)
class Listener:
    """A listening TCP socket: the address it is bound to ("0.0.0.0", "::", "127.0.0.1", …) and its port."""

    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Rule:
    """One iptables rule. ``match`` is canonical and decides equality; ``text`` is iptables-save's own line."""

    chain: str
    match: tuple[tuple[str, ...], ...]
    text: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class Table:
    """One iptables table: built-in chains' policies, user chains (policy "-"), rules in order."""

    policies: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class Facts:
    """What the kernel said: answers by query. Asking for what was not read is a bug of the operation that asks."""

    answers: Mapping[Query, Any] = field(default_factory=lambda: MappingProxyType({}))

    def namespaces(self) -> Namespaces:
        return self._get(Query("namespaces"), Namespaces)

    def stack(self, netns: str | None) -> Stack:
        return self._get(Query("stack", netns or ""), Stack)

    def listeners(self, netns: str | None) -> frozenset[Listener]:
        return self._get(Query("listeners", netns or ""), frozenset)

    def sysctl(self, netns: str | None, key: str) -> Mapping[str, str]:
        """Names and values; ``key`` may hold one ``*``. A name that the kernel has not is not in the mapping."""
        return self._get(Query("sysctl", netns or "", key), dict)

    def table(self, netns: str | None, table: str) -> Table:
        return self._get(Query("iptables", netns or "", table), Table)

    def chains(self, netns: str | None) -> frozenset[tuple[str, str]]:
        return self._get(Query("chains", netns or ""), frozenset)

    def status(self, netns: str | None, url: str) -> int:
        return self._get(Query("fetch", netns or "", url), int)

    def service(self, name: str, netns: str = "") -> int:
        return self._get(Query("service", netns, name), int)

    def _get(self, query: Query, kind: type[T]) -> T:
        answer: T = self.answers[query]
        return answer


@dataclass(frozen=True, slots=True)
class Uplink:
    """A machine's way out: its card, and its IPv4 address and gateway there ("" where it has none)."""

    card: str
    address: str = ""
    gateway: str = ""


# --- operations ------------------------------------------------------------------------------------------------------

Thing = tuple[str, ...]
"""What lives and dies as one: ("netns", name), ("link", netns or "", name) or ("chain", netns or "", table, name)."""


class Operation(Protocol):
    """One thing that should be true, and all that netlab knows about it. Concrete kinds are frozen dataclasses.

    Every field of a concrete kind is a string, a number, a bool or a tuple of strings, so that the journal can hold it.
    ``str()`` names it for a person: "address 172.168.1.11/24 on eth1 in container1".
    """

    kind: ClassVar[str]

    @property
    def given(self) -> bool:
        """An empty lab, or the kernel on behalf of a needed step, usually satisfies it already."""
        return False

    @property
    def counted(self) -> bool:
        """May another just like it stand beside it, somebody else's? Then undo takes one back and has done its part."""
        return False

    @property
    def makes(self) -> frozenset[Thing]:
        """What comes into being with it, and goes when it is taken back."""
        return frozenset()

    @property
    def within(self) -> frozenset[Thing]:
        """What it lives in: when one of these goes, it goes too, without a command of its own."""
        return frozenset()

    @property
    def patience(self) -> float:
        """Seconds after its command within which it may still come true, or go: a server that is starting or ending."""
        return 0.0

    def queries(self) -> frozenset[Query]:
        """All that the methods below look at."""
        ...

    def holds(self, facts: Facts) -> bool:
        """Is it true now, whoever made it so?"""
        ...

    def found(self, facts: Facts) -> str:
        """What stands where it belongs, without being it: "eth1 has 172.168.1.11/16"; "" when nothing does."""
        return ""

    def blocked(self, facts: Facts) -> bool:
        """Does what was ``found`` keep its command from working, so that only its owner can clear the way?"""
        return False

    def apply(self, facts: Facts) -> tuple[Command, ...]:
        """The commands that make it true, given that it is not."""
        ...

    def before(self, facts: Facts) -> Json:
        """What ``undo`` needs to know of the state before ``apply``. Read from JSON again when it is used."""
        return None

    def brings(self, before: Json) -> frozenset[Thing]:
        """What comes into being beside it, where it was not there ``before``: a chain for a rule. It goes with the last
        operation that has use for it."""
        return frozenset()

    def beside(self, before: Json, brought: frozenset[Thing]) -> Json:
        """``before``, without what others of netlab's had ``brought`` by then."""
        return before

    def renew(self) -> tuple[Command, ...]:
        """The commands that let it forget whom it knew, when a cable to somebody was made anew, and a card with it."""
        return ()

    def undo(self, facts: Facts, before: Json) -> tuple[Command, ...]:
        """The commands that lead from ``facts`` back to ``before``; none when it is as before already."""
        ...

    def identity(self, facts: Facts) -> str:
        """What tells the thing that it ``makes``, as it is now, from another of its kind and name; "" where none is."""
        return ""

    def taking(self, facts: Facts, before: Json) -> Json:
        """``before``, with what ``undo`` needs to know once its commands have run and nobody could write that down.

        Asked, and kept, right before they run; only of what is ``counted``.
        """
        return before

    def typed(self, facts: Facts, first: Facts) -> bool:
        """In a sandbox only: was it brought about by hand, since the ``first`` facts were read?"""
        return self.holds(facts) and not self.holds(first)

    def clear(self, facts: Facts) -> tuple[Command, ...]:
        """In a sandbox only: the commands that take away what ``found`` names, which somebody typed by hand."""
        return ()


# --- proofs ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Observation:
    """What a probe saw: whether that is what was expected, and the tool's own words on one line."""

    ok: bool
    text: str
    blind: bool = False
    """The probe itself did not work (tcpdump could not begin): nothing was seen, and not even a failure is proved."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What is run to look: commands side by side, and a capture (tcpdump) that is listening before they start."""

    commands: tuple[Command, ...]
    watch: Command | None = None


class Proof(Protocol):
    """A read-only look at the lab that fails before its step, passes after it, and fails again after undo.

    ``str()`` says what is done: "container1 pings 172.168.1.12". ``stays`` marks an observation that must *not* change:
    it passes before, after, and after undo, and is no proof.
    """

    @property
    def stays(self) -> bool:
        return False

    @property
    def sends(self) -> tuple[tuple[str, str], ...]:
        """Who sends to whom: nodes ("host" is the lab host) and IPv4 addresses. On a real machine not all may be."""
        return ()

    @property
    def expected(self) -> str:
        """What should be seen, in a few words: "answers"."""
        ...

    @property
    def probe(self) -> Probe: ...

    def judge(self, results: Sequence[Result], watched: Result | None) -> Observation:
        """``results`` are the probe's commands' in order, ``watched`` the capture's (None without one)."""
        ...


# --- steps and courses -----------------------------------------------------------------------------------------------


class Step(Protocol):
    """A step is a module: its docstring's first line is its summary, ``needs`` names the steps before it.

    ``operations(lab)`` and ``proofs(lab)`` take the course's own Lab, the same instance for every step.
    """

    __doc__: str | None

    @property
    def needs(self) -> tuple[str, ...]: ...

    @property
    def operations(self) -> Callable[[Any], Iterable[Operation]]: ...

    @property
    def proofs(self) -> Callable[[Any], Iterable[Proof]]: ...


@dataclass(frozen=True, slots=True)
class Chapter:
    """One step with the lab's parameters filled in: what the engine walks. ``steps`` never see it."""

    name: str
    summary: str
    needs: tuple[str, ...]
    operations: tuple[Operation, ...]
    proofs: tuple[Proof, ...] = ()
