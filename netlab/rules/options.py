"""What iptables' options are called, whose they are and how many words follow them: the tables that rules.py reads.

Only what people type for a lab is listed. A module that is missing here still works: its words are compared bare.
The entries are compared with what the real iptables-save prints by tests/kernel/test_rules_real.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from netlab.rules import values as value


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its canonical ``name``, how many words follow it, and the function that gives them one spelling.

    ``old_not`` options take "!" after their name too, as iptables did before 1.4.3; never one whose value is free text.
    """

    name: str
    arity: int = 1
    normal: Callable[[value.Values], value.Values | None] = value.same
    old_not: bool = False


Options = Mapping[str, Option]
"""Options by each of their full names."""


def _named(option: Option, *names: str) -> dict[str, Option]:
    return dict.fromkeys((option.name, *names), option)


def _flags(*names: str) -> dict[str, Option]:
    return {name: Option(name, arity=0) for name in names}


PLAIN: Options = MappingProxyType(
    {
        **_named(Option("-s", normal=value.address, old_not=True), "--source", "--src"),
        **_named(Option("-d", normal=value.address, old_not=True), "--destination", "--dst"),
        **_named(Option("-p", normal=value.protocol, old_not=True), "--protocol", "--proto"),
        **_named(Option("-i", normal=value.interface, old_not=True), "--in-interface"),
        **_named(Option("-o", normal=value.interface, old_not=True), "--out-interface"),
        **_named(Option("-f", arity=0), "--fragment"),
        **_named(Option("-j"), "--jump"),
        **_named(Option("-g"), "--goto"),
        **_named(Option("-m"), "--match"),
        **_named(Option("-c"), "--set-counters"),
    }
)
"""The options of every rule."""

_PORTS = {
    **_named(Option("--sport", normal=value.ports, old_not=True), "--source-port"),
    **_named(Option("--dport", normal=value.ports, old_not=True), "--destination-port"),
}

MATCHES: Mapping[str, Options] = MappingProxyType(
    {
        "tcp": {
            **_PORTS,
            **_named(Option("--tcp-flags", arity=2, normal=value.tcp_flags)),
            **_named(Option("--tcp-option")),
            "--syn": Option("--tcp-flags", arity=0, normal=value.syn),
        },
        "udp": _PORTS,
        "icmp": _named(Option("--icmp-type", normal=value.icmp_type, old_not=True)),
        "addrtype": {
            **_named(Option("--src-type", normal=value.word_set)),
            **_named(Option("--dst-type", normal=value.word_set)),
        },
        "comment": _named(Option("--comment")),
        "conntrack": {
            **_named(Option("--ctstate", normal=value.word_set)),
            **_named(Option("--ctproto", normal=value.protocol)),
        },
        "limit": {
            **_named(Option("--limit", normal=value.rate)),
            **_named(Option("--limit-burst", normal=value.burst)),
        },
        "mac": _named(Option("--mac-source", normal=value.word_set, old_not=True)),
        "mark": _named(Option("--mark", normal=value.mark)),
        "multiport": {
            **_named(Option("--sports", normal=value.port_list), "--source-ports"),
            **_named(Option("--dports", normal=value.port_list), "--destination-ports"),
            **_named(Option("--ports", normal=value.port_list)),
        },
        "state": _named(Option("--state", normal=value.word_set)),
    }
)
"""The options of modules (``-m``)."""

STATEFUL = frozenset({"limit"})
"""Modules that count what reaches them: their place among the others matters."""

_TO_PORTS = _named(Option("--to-ports", normal=value.port_range))

TARGETS: Mapping[str, Options] = MappingProxyType(
    {
        "ACCEPT": {},
        "DROP": {},
        "RETURN": {},
        "DNAT": {**_named(Option("--to-destination", normal=value.nat)), **_flags("--random", "--persistent")},
        "SNAT": {
            **_named(Option("--to-source", normal=value.nat)),
            **_flags("--random", "--random-fully", "--persistent"),
        },
        "MASQUERADE": {**_TO_PORTS, **_flags("--random", "--random-fully")},
        "REDIRECT": {**_TO_PORTS, **_flags("--random")},
        "REJECT": _named(Option("--reject-with", normal=value.reject_with)),
        "LOG": {**_named(Option("--log-level", normal=value.log_level)), **_named(Option("--log-prefix"))},
        "MARK": {
            **_named(Option("--set-xmark", normal=value.xmark)),
            "--set-mark": Option("--set-xmark", normal=value.set_mark),
        },
        "TCPMSS": {**_named(Option("--set-mss")), **_flags("--clamp-mss-to-pmtu")},
    }
)
"""The options of targets (``-j``). A chain of one's own is not among them and has none."""

DEFAULTS: Mapping[tuple[str, str], tuple[str, str]] = MappingProxyType(
    {
        ("-j", "REJECT"): ("--reject-with", "icmp-port-unreachable"),
        ("-m", "limit"): ("--limit", "72/day"),
    }
)
"""What iptables fills in, and iptables-save prints, when it was not typed."""
