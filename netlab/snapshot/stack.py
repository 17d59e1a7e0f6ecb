"""Turns what ip, ss and /proc/sys print into lines that stay the same until somebody changes something.

Pure: text in, sections of a snapshot out. Each mask says why what it hides changes by itself; nothing else is hidden.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from netlab.snapshot.links import Link

_NUMBERED = re.compile(r"\d+:\s")
"""How a line begins that shows an address or a rule; a neighbour's or a route's (``2001:db8::``) never does."""

_SYSCTL_OF_LINK = re.compile(r"net\.[a-z0-9]+\.(?:conf|neigh)\.(?P<link>[^.]+)\.")

_PASSING_SYSCTL: Final = frozenset(
    {
        "net.netfilter.nf_conntrack_count",  # connections known just now
        "net.ipv4.tcp_fastopen_key",  # drawn at random when the first socket asks for it
    }
)


def addresses(text: str, cards: Sequence[Link]) -> list[str]:
    """``ip -o address show`` → ``172.168.1.11/24 on eth1 scope global``, by card.

    A card's IPv4 addresses stay in order, for the first one is the source of what it sends; IPv6 has rules for that.
    """
    rows: list[tuple[str, int, str]] = []
    for line in text.splitlines():
        words = line.replace("\\", " ").split()
        if len(words) < 4 or not words[2].startswith("inet"):
            continue
        name, family, cidr, rest = words[1], words[2], words[3], words[4:]
        if family == "inet6" and made_by_itself(cidr, name, cards):
            continue
        rest = [word for word in rest if word not in ("tentative", "optimistic", "dadfailed")]  # settles by itself
        rest = [re.sub(r"^[1-9]\d*sec$", "limited", word) for word in rest]  # an age
        said = " ".join(rest).replace(" valid_lft forever preferred_lft forever", "")
        said = said.removesuffix(f" {name}")  # the label, where it is the card's own name
        rows.append((name, 4 if family == "inet" else 6, f"{cidr} on {name} {said}".strip()))
    return _by_card(rows)


def _by_card(rows: list[tuple[str, int, str]]) -> list[str]:
    rows.sort(key=lambda row: (row[0], row[1], row[2] if row[1] == 6 else ""))
    return [row[2] for row in rows]


def made_by_itself(cidr: str, card: str, cards: Sequence[Link]) -> bool:
    """Is it the IPv6 link-local address that the kernel makes from a MAC address, or at random where it is told to?"""
    address = cidr.partition("/")[0].lower()
    if not address.startswith("fe80:"):
        return False
    if re.search(r":[0-9a-f]{0,2}ff:fe[0-9a-f]{2}:[0-9a-f]{1,4}$", address):
        return True
    # Old kernels put the route to such an address on lo.
    return any(not link.eui64 for link in cards if card in ("lo", link.name))


def routes(text: str, cards: Sequence[Link]) -> list[str]:
    """``ip -o route show table all``, by table; within one in the kernel's order, which is the order of the look-up."""
    kept = []
    for line in text.splitlines():
        words = [word for word in line.replace("\\", " ").split() if word not in ("linkdown", "dead")]  # the carrier
        words = re.sub(r" expires -?\d+sec", "", " ".join(words)).split()  # an age
        if words and not _NUMBERED.match(line) and not _comes_with_link_local(words, cards):
            kept.append(" ".join(words))
    return sorted(kept, key=lambda line: (re.findall(r" table (\S+)", line) or [""])[0])


def _comes_with_link_local(words: list[str], cards: Sequence[Link]) -> bool:
    typed = words[0] in ("local", "anycast", "multicast")
    destination, options = words[typed], words[typed + 1 :]
    card = options[options.index("dev") + 1] if "dev" in options[:-1] else ""
    if destination == "ff00::/8":
        return True
    if words[0] in ("local", "anycast"):
        return destination in ("fe80::", "fe80::/128") or made_by_itself(destination, card, cards)
    # iproute2 4.11 prints `proto kernel`, as later ones do; a person's own is boot or static
    return destination == "fe80::/64" and "proto kernel" in " ".join(options)


def rules(text: str) -> list[str]:
    """``ip rule show`` in the same batch as the routes, in order of priority."""
    return [" ".join(line.split()) for line in text.splitlines() if _NUMBERED.match(line)]


def neighbours(text: str) -> list[str]:
    """``ip neigh show nud permanent`` in the same batch as the addresses; sorted: the kernel's order is a hash's."""
    return sorted(" ".join(line.split()) for line in text.splitlines() if line.strip() and not _NUMBERED.match(line))


def listeners(text: str) -> list[str]:
    """``ss -ltnu`` → ``tcp 0.0.0.0:80``, sorted; without the queues, which fill and empty."""
    found = []
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 6 and words[0] != "Netid":
            found.append(f"{words[0]} {re.sub(r'fe80:[0-9a-f:]*ff:fe[0-9a-f:]+', 'fe80::*', words[4])}")
    return sorted(found)


def sysctls(text: str) -> dict[str, str]:
    """``/proc/sys/net/ipv4/ip_forward:0`` lines → names as sysctl(8) writes them, and values with single blanks.

    A dot inside a name (``eth0.100``) is a slash there.
    """
    return dict(sorted(_sysctls(text)))


def _sysctls(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        path, separator, value = line.removeprefix("/proc/sys/").partition(":")
        name = path.translate(str.maketrans("./", "/."))
        if separator and name not in _PASSING_SYSCTL:
            yield name, " ".join(value.split())


def link_of(sysctl: str) -> str:
    """The card whose setting it is; "" for the others, and for ``all`` and ``default``."""
    match = _SYSCTL_OF_LINK.match(sysctl)
    return match["link"].replace("/", ".") if match and match["link"] not in ("all", "default") else ""
