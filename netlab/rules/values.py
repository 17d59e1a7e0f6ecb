"""The one spelling of each value in an iptables rule: 255.255.255.0 is 24, http is 80, 60/minute is 1/second.

Each function takes the words that follow an option and returns them in the form that all their spellings share, mostly
the one that iptables-save prints. None says nothing: iptables-save leaves such an option out. What is not understood
comes back as it is, and then equals only itself.
"""

from __future__ import annotations

import re
import socket

Values = tuple[str, ...]

_NUMBER = re.compile(r"(0[xX][0-9a-fA-F]{1,16})|(0[0-7]{0,20})|([1-9][0-9]{0,17})")
_BYTE = re.compile(r"0|[1-9][0-9]{0,2}")
_ALL_BITS = 0xFFFFFFFF


def same(values: Values) -> Values:
    """Free text, or a value that has one spelling only."""
    return values


def address(values: Values) -> Values | None:
    """An IPv4 network with its prefix length and without host bits; every address is no condition."""
    host, slash, mask = values[0].partition("/")
    dotted = "." in mask
    number = _quad(host)
    bits = _quad(mask) if dotted else _number(mask) if slash else 32
    if number is None or bits is None or (not dotted and bits > 32):
        return values
    netmask = bits if dotted else _prefix(bits)
    if netmask == 0:
        return None
    length = netmask.bit_count()
    return (f"{_dotted(number & netmask)}/{length if netmask == _prefix(length) else _dotted(netmask)}",)


def interface(values: Values) -> Values | None:
    """Every interface, "+", is no condition. "eth+" stays as it is."""
    return None if values == ("+",) else values


def protocol(values: Values) -> Values | None:
    """A protocol by its lower-case name, where iptables has one; every protocol is no condition."""
    names = {"1": "icmp", "6": "tcp", "17": "udp", "33": "dccp", "47": "gre", "50": "esp", "51": "ah", "132": "sctp"}
    name = values[0].lower()
    return None if name in ("all", "0") else (names.get(name, name),)


def ports(values: Values) -> Values | None:
    """A port by number, or a range with both its ends ("1024:" is "1024:65535"); every port is no condition."""
    low, colon, high = values[0].partition(":")
    if not colon:
        return (_port(low),)
    first, last = _port(low or "0"), _port(high or "65535")
    return None if (first, last) == ("0", "65535") else (first if first == last else f"{first}:{last}",)


def port_list(values: Values) -> Values:
    """The "http,443,1000:1010" of multiport, in the order in which it was typed."""
    return (",".join((ports((part,)) or (part,))[0] for part in values[0].split(",")),)


def port_range(values: Values) -> Values:
    """The "1024-2048" of targets."""
    first, dash, last = values[0].partition("-")
    first, last = _port(first), _port(last)
    return (f"{first}-{last}" if dash and first != last else first,)


def nat(values: Values) -> Values:
    """Where to: "1.2.3.4-1.2.3.9:80-90". A range of one is that one."""
    hosts, colon, to = values[0].partition(":")
    first, _, last = hosts.partition("-")
    return ((first if first == last else hosts) + (colon and f":{port_range((to,))[0]}"),)


def word_set(values: Values) -> Values:
    """Names whose order and case do not matter: "established,RELATED"."""
    return (",".join(sorted(set(values[0].upper().split(",")))),)


def tcp_flags(values: Values) -> Values:
    """Two sets: the flags that are looked at, and those of them that must be set."""
    every = {"ALL": "FIN,SYN,RST,PSH,ACK,URG"}
    return tuple(word_set((every.get(flags.upper(), flags),))[0] for flags in values)


def syn(values: Values) -> Values:
    """``--syn`` is short for this ``--tcp-flags``."""
    return tcp_flags(("FIN,SYN,RST,ACK", "SYN"))


def icmp_type(values: Values) -> Values | None:
    """A type, or type and code ("3/1"), by number; any type is no condition."""
    names = {"any": "255", "echo-request": "8", "ping": "8", "echo-reply": "0", "pong": "0", "time-exceeded": "11"}
    names |= {"destination-unreachable": "3", "network-unreachable": "3/0", "host-unreachable": "3/1"}
    names |= {"protocol-unreachable": "3/2", "port-unreachable": "3/3", "fragmentation-needed": "3/4", "redirect": "5"}
    number = names.get(values[0].lower(), values[0])
    return None if number == "255" else (number,)


def mark(values: Values) -> Values:
    """A number in hexadecimal, with the mask where one is meant: "0x1", "0x1/0xff"."""
    number, bits = _masked(values[0])
    if number is None or bits is None:
        return values
    return (f"{number:#x}" if bits == _ALL_BITS else f"{number:#x}/{bits:#x}",)


def xmark(values: Values) -> Values:
    """A number and its mask in hexadecimal: "0x1/0xffffffff"."""
    number, bits = _masked(values[0])
    return values if number is None or bits is None else (f"{number:#x}/{bits:#x}",)


def set_mark(values: Values) -> Values:
    """``--set-mark`` as the ``--set-xmark`` that the kernel keeps: it clears the bits that it sets, too."""
    number, bits = _masked(values[0])
    return values if number is None or bits is None else (f"{number:#x}/{number | bits:#x}",)


def rate(values: Values) -> Values:
    """Times a day."""
    number, slash, unit = values[0].partition("/")
    times = _number(number)
    for name, a_day in (("second", 86400), ("minute", 1440), ("hour", 24), ("day", 1)):
        if times is not None and name.startswith(unit.lower()) and (unit or not slash):
            return (f"{times * a_day}/day",)
    return values


def burst(values: Values) -> Values | None:
    """The number after which ``limit`` starts to count; 5 is the default."""
    return None if values == ("5",) else values


def log_level(values: Values) -> Values | None:
    """A level by number; 4, warning, is the default."""
    names = ("emerg", "alert", "crit", "error", "warning", "notice", "info", "debug")
    level = str(names.index(values[0])) if values[0] in names else values[0]
    return None if level == "4" else (level,)


def reject_with(values: Values) -> Values:
    """The long name of an answer: "port-unreach" is "icmp-port-unreachable"."""
    names = {"tcp-rst": "tcp-reset", "admin-prohib": "icmp-admin-prohibited"}
    names |= {f"{what}-unreach": f"icmp-{what}-unreachable" for what in ("net", "host", "port", "proto")}
    names |= {f"{what}-prohib": f"icmp-{what}-prohibited" for what in ("net", "host")}
    return (names.get(values[0], values[0]),)


def _number(word: str) -> int | None:
    """As strtoul reads it: 0x is hexadecimal, and a leading 0 octal."""
    match = _NUMBER.fullmatch(word)
    return None if match is None else int(word, 16 if match[1] else 8 if match[2] else 10)


def _port(word: str) -> str:
    if (number := _number(word)) is not None:
        return str(number)
    try:
        return str(socket.getservbyname(word))  # the same /etc/services that iptables looks in
    except (OSError, ValueError):
        return word


def _masked(word: str) -> tuple[int | None, int | None]:
    number, slash, mask = word.partition("/")
    return _number(number), _number(mask) if slash else _ALL_BITS


def _prefix(length: int) -> int:
    return _ALL_BITS << (32 - length) & _ALL_BITS


def _quad(word: str) -> int | None:
    """``10`` and ``10.1`` are addresses to iptables, which fills up with zeros: 10.1.0.0."""
    parts = word.split(".")
    if len(parts) > 4 or not all(_BYTE.fullmatch(part) and int(part) < 256 for part in parts):
        return None
    return int.from_bytes(bytes(int(part) for part in parts).ljust(4, b"\0"), "big")


def _dotted(number: int) -> str:
    return ".".join(str(byte) for byte in number.to_bytes(4, "big"))
