"""Proofs: read-only probes with the real tools, and what their answers mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from netlab import spelling
from netlab.model import Command, Observation, Probe, Proof, Result

HOST = spelling.HOST
"""The lab host's name as a node; any other node is a network namespace."""


def address_of(url: str) -> str:
    """The address in ``http://ADDRESS:PORT/``."""
    return urlsplit(url).hostname or ""


def _at(node: str, *argv: str) -> Command:
    return Command(argv, None if node == HOST else node)


def _first_line(*texts: str) -> str:
    """The first line that says something, without the program's name in front; no namespace, in plain words."""
    lines = (re.sub(r"^\S*ping: ", "", line.strip()) for text in texts for line in text.splitlines())
    line = next((line for line in lines if line), "no output")
    return "no such namespace" if line.startswith("nsenter: ") and "/run/netns/" in line else line


@dataclass(frozen=True)
class Ping(Proof):
    """``node`` pings ``target`` (an IPv4 address) once and gets an answer within a second."""

    node: str
    target: str

    def __post_init__(self) -> None:
        spelling.node(self.node)
        spelling.address(self.target)

    def __str__(self) -> str:
        return f"{self.node} pings {self.target}"

    @property
    def sends(self) -> tuple[tuple[str, str], ...]:
        return ((self.node, self.target),)

    @property
    def expected(self) -> str:
        return "answers"

    @property
    def probe(self) -> Probe:
        return Probe((_at(self.node, "ping", "-n", "-c", "1", "-W", "1", self.target),))

    def judge(self, results: Sequence[Result], watched: Result | None) -> Observation:
        result = results[0]
        answers = [line for line in result.stdout.splitlines() if " bytes from " in line]
        if result.code == 0 and answers:
            return Observation(True, answers[0])
        said = [line for line in result.stdout.splitlines() if line.startswith("From ")]
        # ping words "no reply" only in its statistics: "1 packets transmitted, 0 received, 100% packet loss, time 0ms".
        silent = "no reply" if " 0 received" in result.stdout else ""
        return Observation(False, _first_line(result.stderr, *said, silent))


@dataclass(frozen=True)
class Fetch(Proof):
    """``node`` fetches ``url`` and gets the HTTP status 200."""

    node: str
    url: str

    def __post_init__(self) -> None:
        spelling.node(self.node)
        spelling.url(self.url)

    def __str__(self) -> str:
        return f"{self.node} fetches {self.url}"

    @property
    def sends(self) -> tuple[tuple[str, str], ...]:
        return ((self.node, address_of(self.url)),)

    @property
    def expected(self) -> str:
        return "200"

    @property
    def probe(self) -> Probe:
        return Probe((_curl(self.node, self.url),))

    def judge(self, results: Sequence[Result], watched: Result | None) -> Observation:
        status = results[0].stdout.strip()
        ok = results[0].code == 0 and status == "200"
        return Observation(ok, status if results[0].code == 0 else _refusal(results[0]))


def _curl(node: str, url: str) -> Command:
    # No ~/.curlrc, no proxy: what is asked is this address and nothing else. Only -v tells why nobody could connect.
    options = ("-q", "-sS", "-v", "--noproxy", "*", "--max-time", "1", "-o", "/dev/null", "-w", "%{http_code}")
    return _at(node, "curl", *options, url)


def _refusal(result: Result) -> str:
    """Why nothing was fetched: "refused", or the kernel's or curl's own words."""
    kernel = re.search(r"Connection refused|Network is unreachable|No route to host", result.stderr)
    if kernel is not None:
        return "refused" if kernel[0] == "Connection refused" else kernel[0]
    said = re.search(r"(?m)^curl: \(\d+\) (.*)", result.stderr)
    return said[1] if said is not None else _first_line(result.stderr)


@dataclass(frozen=True)
class Refused(Proof):
    """``node`` connects to ``url`` and is refused; an observation that must *not* change, hence no proof."""

    node: str
    url: str

    def __post_init__(self) -> None:
        spelling.node(self.node)
        spelling.url(self.url)

    def __str__(self) -> str:
        return f"{self.node} connects to {self.url}"

    @property
    def sends(self) -> tuple[tuple[str, str], ...]:
        return ((self.node, address_of(self.url)),)

    @property
    def stays(self) -> bool:
        return True

    @property
    def expected(self) -> str:
        return "refused, as before"

    @property
    def probe(self) -> Probe:
        return Probe((_curl(self.node, self.url),))

    def judge(self, results: Sequence[Result], watched: Result | None) -> Observation:
        seen = results[0].stdout.strip() if results[0].code == 0 else _refusal(results[0])
        return Observation(seen == "refused", seen)


@dataclass(frozen=True)
class Seen(Proof):
    """While ``by`` runs, its request is seen on the lab host's ``card``; with ``source``, leaving as that address."""

    card: str
    by: Ping
    source: str = ""

    def __post_init__(self) -> None:
        spelling.card(self.card)
        if self.source:
            spelling.address(self.source)

    def __str__(self) -> str:
        return f"{self.by} while {self.card} is watched"

    @property
    def sends(self) -> tuple[tuple[str, str], ...]:
        return self.by.sends

    @property
    def expected(self) -> str:
        leaves = f"leaves as {self.source}" if self.source else f"is on {self.card}"
        return f"the request for {self.by.target} {leaves}"

    @property
    def probe(self) -> Probe:
        only = f"icmp[icmptype] == icmp-echo and dst host {self.by.target}"
        options = ("-i", self.card, "-n", "-l", "--immediate-mode", "-c", "1")
        return Probe(self.by.probe.commands, watch=_at(HOST, "tcpdump", *options, only))

    def judge(self, results: Sequence[Result], watched: Result | None) -> Observation:
        text = watched.stdout if watched is not None else ""
        if watched is not None and not text and "listening on" not in watched.stderr:
            return Observation(False, _first_line(watched.stderr), blind=True)
        request = re.search(r"IP (\S+) > (\S+): ICMP echo request", text)
        if request is None:
            return Observation(False, f"no such request on {self.card}")
        right = request[2] == self.by.target and self.source in ("", request[1])
        return Observation(right, _first_line(text))


@dataclass(frozen=True)
class Shows(Proof):
    """``ip addr`` in ``node`` shows each card of ``has`` and none of ``lacks``; and the addresses likewise, those of
    ``lacks`` without a prefix length.

    ``up`` names cards that must be up. ``veth`` is (card, other end on the lab host): the card's kind and peer, too.
    """

    node: str
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    up: tuple[str, ...] = ()
    veth: tuple[str, str] | None = None

    def __post_init__(self) -> None:
        spelling.node(self.node)

    def __str__(self) -> str:
        return f"`ip {'link' if self.veth else 'addr'}` in {self.node}"

    @property
    def expected(self) -> str:
        parts = [f"{' and '.join(self.has)}{', up' if self.up else ''}"] if self.has else []
        parts += [f"{self.veth[0]}, a veth whose other end is {self.veth[1]} on the host"] if self.veth else []
        parts += [f"not {' nor '.join(self.lacks)}"] if self.lacks else []
        return ", ".join(parts)

    @property
    def probe(self) -> Probe:
        inside = _at(self.node, "ip", "-d", "link") if self.veth else _at(self.node, "ip", "addr")
        outside = (_at(HOST, "ip", "-d", "link", "show", "dev", self.veth[1]),) if self.veth else ()
        return Probe((inside, *outside))

    def judge(self, results: Sequence[Result], watched: Result | None) -> Observation:
        if results[0].code != 0:
            return Observation(False, _first_line(results[0].stderr))
        cards = _cards(results[0].stdout)
        names = {word for name, card in cards.items() for word in (name, *card.addresses)}
        plain = {word.partition("/")[0] for word in names}
        there = sorted(names, key=lambda word: (word not in cards, word))
        ok = (
            set(self.has) <= names
            and not set(self.lacks) & plain
            and all(cards[name].up for name in self.up if name in cards)
        )
        if self.veth is None:
            return Observation(ok, "shows " + ", ".join(there))
        inner, outer = cards.get(self.veth[0]), _cards(results[1].stdout).get(self.veth[1])
        if inner is None:
            return Observation(False, f"no {self.veth[0]}: shows {', '.join(there)}")
        paired = outer is not None and (inner.peer, outer.peer) == (outer.index, inner.index)
        ok = ok and paired and inner.kind == "veth"
        other = f"{self.veth[1]}, index {outer.index}" if outer is not None and paired else f"index {inner.peer}"
        return Observation(ok, f"{self.veth[0]}, a {inner.kind or 'real card'}, its other end {other}")


@dataclass(frozen=True)
class _Card:
    index: int
    peer: int
    kind: str
    up: bool
    addresses: tuple[str, ...]


def _cards(text: str) -> dict[str, _Card]:
    """What ``ip [-d] addr`` or ``ip [-d] link`` prints, in the form for people, card by card."""
    cards = {}
    for block in re.split(r"(?m)^(?=\d+: )", text):
        head = re.match(r"(\d+): ([^:@\s]+)(?:@if(\d+)|@\S+)?: <([^>]*)>", block)
        if head is None:
            continue
        kind = re.search(r"(?m)^ {4}(veth|bridge|dummy|vlan|tun|macvlan|ipvlan|vxlan)\b", block)
        addresses = tuple(re.findall(r"(?m)^ {4}inet6? (\S+)", block))
        up = "UP" in head[4].split(",")
        cards[head[2]] = _Card(int(head[1]), int(head[3] or 0), kind[1] if kind else "", up, addresses)
    return cards


ping = Ping
fetch = Fetch
refused = Refused
seen = Seen
shows = Shows
