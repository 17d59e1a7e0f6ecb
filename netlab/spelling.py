"""How names and values are spelled that go to the tools: what none of them reads as an option, a word or a pattern.

Every operation and every proof checks its own. The tools themselves take ``-t``, ``a;id`` or ``br+`` as a card's name,
and then mean something else by it.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, ip_interface

WORDS = frozenset(
    {"name", "type", "dev", "via", "all", "default", "peer", "up", "down", "group", "master", "netns", "link", "to"}
)
"""Words of ip's own: as a name, ip takes the next word for the name."""

HOST = "host"
"""The lab host, where a node is named: no network namespace may be called so."""

CARD = "1 to 15 of a-z A-Z 0-9 . _ -, beginning with a letter or digit, and no word of ip's own"
NODE = CARD.replace("15", "64")


def is_name(text: str, *, longest: int = 15) -> bool:
    """May a card, or a network namespace (up to 64), have this name?"""
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", text) is not None and len(text) <= longest and text not in WORDS


def card(*names: str) -> None:
    """Raise ValueError unless these can be names of cards."""
    for name in names:
        if not is_name(name):
            raise ValueError(f"{name!r} can be no card's name; allowed are {CARD}")


def node(*names: str) -> None:
    """Raise ValueError unless these can be names of network namespaces."""
    for name in names:
        if not is_name(name, longest=64):
            raise ValueError(f"{name!r} can be no network namespace's name; allowed are {NODE}")


def namespace(*names: str) -> None:
    """Raise ValueError unless a course may call network namespaces so."""
    node(*names)
    if HOST in names:
        raise ValueError(f"{HOST!r} can be no network namespace's name; it is the lab host's")


def stack(netns: str) -> None:
    """Raise ValueError unless this is a network namespace's name, or "" for the lab host's own stack."""
    if netns != "":
        node(netns)


def cidr(text: str) -> None:
    """Raise ValueError unless this is an address with its prefix length, "172.168.1.11/24"."""
    if "/" not in text:
        raise ValueError(f"{text!r} has no prefix length; 172.168.1.11/24 has one")
    ip_interface(text)


def address(text: str) -> None:
    """Raise ValueError unless this is an IPv4 address."""
    IPv4Address(text)


def destination(text: str) -> None:
    """Raise ValueError unless this is where an IPv4 route can lead: "default", a network or an address."""
    if text != "default":
        IPv4Network(text)


def port(number: int) -> None:
    """Raise ValueError unless this is a TCP port's number."""
    if isinstance(number, bool) or not 1 <= number <= 65535:
        raise ValueError(f"{number!r} is no port, from 1 to 65535")


def url(text: str) -> None:
    """Raise ValueError unless this is ``http://ADDRESS[:PORT]/PATH``, the address an IPv4 one."""
    found = re.fullmatch(r"http://([0-9.]+)(?::([0-9]{1,5}))?(?:/[!-~]*)?", text)
    if found is None:
        raise ValueError(f"{text!r} is no URL such as http://172.168.1.11:80/")
    address(found[1])
    port(int(found[2] or 80))


def words(*texts: str) -> None:
    """Raise ValueError unless each of these is one word or more in printable ASCII."""
    for text in texts:
        if re.fullmatch(r"[ -~]+", text) is None:
            raise ValueError(f"{text!r} is empty, or has a character that is no printable ASCII")
