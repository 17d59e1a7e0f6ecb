"""Turns what ``ip -o -d link`` prints into lines that stay the same until somebody changes a card, and finds veth ends.

Pure: text in, values out. Each mask says why what it hides changes by itself; nothing else is hidden. Works on iproute2
4.11 (no ``-j``) and later: a word that an old tool does not print is simply not there on either side.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_LINK = re.compile(r"(?P<index>\d+): (?P<name>[^@\s]+?)(?:@(?P<other>\S+))?: <(?P<flags>[^>]*)> (?P<rest>.*)")
_HARDWARE = re.compile(r"(?P<before>link/\S+ )(?P<address>[0-9a-f]{2}(?::[0-9a-f]{2})+)")
_BRIDGE_ID = re.compile(r"\b([0-9a-f]{4})\.[0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5}\b")

_NO_KIND: Final = ("altname", "vf")
"""Words that may start a further part of a real card's line, where a virtual one has its kind."""

# The other end's carrier, as the kernel finds out up to a second later.
_CARRIER: Final = frozenset({"LOWER_UP", "NO-CARRIER", "M-DOWN"})

# Words that are dropped together with the word after them.
_PASSING: Final = frozenset(
    {
        # follow the carrier, or who listens (tcpdump, a bridge that the card is a port of, which `master` says)
        *("state", "promiscuity", "allmulti"),
        # numbers that the kernel hands out; `_other_end` says what is behind them
        *("link-netnsid", "link-netns", "port_no", "port_id", "designated_port"),
        # timers and ages
        *("hello_timer", "tcn_timer", "topology_change_timer", "gc_timer", "hold_timer", "message_age_timer"),
        "forward_delay_timer",
        # what the spanning tree and its neighbours are agreeing on just now
        *("topology_change", "topology_change_detected", "topology_change_ack", "config_pending"),
        *("root_port", "root_path_cost", "designated_cost"),
        # what a bridge's card can do at most: the least of its ports, and it stays so when they go
        *("tso_max_size", "tso_max_segs"),
        # how many addresses and groups were learnt
        *("fdb_n_learned", "mcast_n_groups"),
    }
)

_RANDOM: Final = ("1", "2")
"""addr_assign_type (Documentation/ABI/testing/sysfs-class-net): 1 is random, 2 is stolen from another card."""


@dataclass(frozen=True, slots=True)
class Link:
    """One card: ``words`` as ``ip link`` shows it, ``details`` what ``-d`` adds, both masked."""

    index: int
    name: str
    kind: str
    words: str
    details: str
    other: str
    """What stands behind the ``@``: a name in the same namespace, or ``if4``."""
    netns: str
    """The network namespace of the other end as ip names it: a name, ``#0`` for an id without one, "" for none."""
    eui64: bool
    """Are its IPv6 link-local addresses made from its MAC address?"""

    @property
    def other_index(self) -> int:
        return int(self.other[2:]) if re.fullmatch(r"if\d+", self.other) and self.netns else 0


def links(text: str, sysfs: str) -> list[Link]:
    """``ip -o -d link show``; ``sysfs`` holds ``/sys/class/net/NAME/{address,addr_assign_type}:value`` lines.

    A sysfs that belongs to another namespace is told by its MAC addresses, and not believed.
    """
    return [_link(match, _assigned(sysfs)) for match in map(_LINK.match, text.splitlines()) if match]


def _assigned(sysfs: str) -> Mapping[tuple[str, str], str]:
    values: dict[tuple[str, str], str] = {}
    for line in sysfs.splitlines():
        path, _, value = line.partition(":")
        name, _, attribute = path.removeprefix("/sys/class/net/").partition("/")
        values[name, attribute] = value
    return {
        (name, value): values.get((name, "addr_assign_type"), "")
        for (name, attribute), value in values.items()
        if attribute == "address"
    }


def _link(match: re.Match[str], assigned: Mapping[tuple[str, str], str]) -> Link:
    name, flags = match["name"], [flag for flag in match["flags"].split(",") if flag not in _CARRIER]
    rest, separator, alias = match["rest"].partition("\\    alias ")
    head, _, tail = rest.partition(" promiscuity ")
    segments = [segment.strip() for segment in tail.split("\\")]
    kind = next((segment.split()[0] for segment in segments[1:] if segment), "")
    kind = "" if kind in _NO_KIND or kind.endswith("_slave") else kind
    netns = re.search(r" link-netns (\S+)| link-netnsid (\d+)", head)
    # Behind `promiscuity` stands a number; with it in front again, one rule masks both.
    details = " ".join(_masked(f"promiscuity {segment}" if i == 0 else segment) for i, segment in enumerate(segments))
    drop_qdisc = "UP" not in flags  # it says whether the card was ever up
    head = _masked(head.replace("\\", " "), {"qdisc"} if drop_qdisc else set())
    head = _HARDWARE.sub(lambda m: m["before"] + _mac(name, m["address"], assigned), head, count=1)
    words = [kind, f"<{','.join(flags)}>", head, f"alias {alias.strip()}" if separator else ""]
    return Link(
        index=int(match["index"]),
        name=name,
        kind=kind,
        words=" ".join(filter(None, words)),
        details=details.strip(),
        other=match["other"] or "",
        netns=(netns[1] or f"#{netns[2]}") if netns else "",
        eui64="addrgenmode eui64" in tail or "addrgenmode" not in tail,
    )


def _masked(text: str, also: set[str] | frozenset[str] = frozenset()) -> str:
    words, kept = iter(_BRIDGE_ID.sub(r"\1.*", text).split()), []
    for word in words:
        if word in _PASSING or word in also:
            next(words, None)
        else:
            kept.append(word)
    return " ".join(kept)


def _mac(name: str, address: str, assigned: Mapping[tuple[str, str], str]) -> str:
    """A MAC address that nobody chose is ``*``. Where sysfs does not say, the kernel's own have the "local" bit."""
    how = assigned.get((name, address))
    random = how in _RANDOM if how else bool(int(address[:2], 16) & 2)
    return "*" if random else address


def other_ends(stacks: Mapping[str, list[Link]], ids: Mapping[str, str], host: str) -> dict[tuple[str, str], str]:
    """(namespace, link) → ``@eth1 in container1``, for links whose other end is in another namespace.

    ``ids`` turns what the host's ip prints (a name, ``#0``) into a key of ``stacks``. Only pairs with one end on the
    host can be told for sure: elsewhere an index is no proof, and a guess would make two snapshots differ. Those are
    ``@elsewhere``.
    """
    by_index = {(netns, link.index): link for netns, found in stacks.items() for link in found}
    ends = {(netns, one.name): "@elsewhere" for netns, found in stacks.items() for one in found if one.other_index}
    for link in stacks[host]:
        there = ids.get(link.netns, link.netns)
        other = by_index.get((there, link.other_index)) if link.other_index else None
        if other is not None:
            ends[host, link.name] = f"@{other.name} in {there}"
            if other.other_index == link.index:
                ends[there, other.name] = f"@{link.name} in {host}"
    return ends
