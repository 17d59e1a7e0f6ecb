"""nftables' own rules, as the real nft 1.0.6 printed them for what stands beside in tests/data/firewalls/."""

import json

import pytest

from netlab.preflight.chains import Line, Packet, walk
from netlab.preflight.forward import REPLY
from netlab.preflight.nftables import bases
from tests.preflight.place import FIREWALLS

OUT = Packet("br0", "ens33", "172.168.1.11", "192.168.0.2", "tcp", 80)


def test_the_chains_that_the_kernel_asks() -> None:
    found = bases((FIREWALLS / "firewalld-0.9.json").read_text())
    assert {(str(base), base.hook, base.policy) for base in found} == {
        ("inet firewalld filter_INPUT", "input", "accept"),
        ("inet firewalld filter_FORWARD", "forward", "accept"),
        ("inet firewalld filter_OUTPUT", "output", "accept"),
    }


WALKS = {
    # file: (chain, packet, what becomes of it)
    "firewalld-0.9": ("filter_FORWARD", OUT, "drop"),
    "firewalld-0.9-trusted": ("filter_FORWARD", OUT, "accept"),
    "firewalld-1.3": ("filter_FORWARD", OUT, "accept"),
    "libvirt-10": ("forward", OUT, "accept"),
    "nftables-nat": ("prerouting", Packet("ens33", target="192.168.0.10", port=8888, local=True), "nat"),
}


@pytest.mark.parametrize("file", WALKS)
def test_walks(file: str) -> None:
    start, packet, action = WALKS[file]
    base = next(base for base in bases((FIREWALLS / f"{file}.json").read_text()) if base.name == start)
    verdict = walk(base.chains, start, packet, base.policy)
    assert (verdict.action, verdict.sure) == (action, True)


META, CT = {"meta": {"key": "iifname"}}, {"ct": {"key": "state"}}
FIB = {"fib": {"result": "type", "flags": ["daddr"]}}


def payload(protocol: str, field: str) -> dict[str, dict[str, str]]:
    return {"payload": {"protocol": protocol, "field": field}}


CONDITIONS = [
    (META, "==", "br0", True),
    (META, "!=", "br0", False),
    (META, "==", "br*", True),
    (META, "==", {"set": ["lo", "br0"]}, True),
    (META, "==", "@cards", None),
    (META, "!=", "@cards", None),
    ({"meta": {"key": "oifname"}}, "==", "ens33", True),
    ({"meta": {"key": "l4proto"}}, "==", {"set": ["icmp", "ipv6-icmp"]}, False),
    ({"meta": {"key": "nfproto"}}, "==", "ipv6", False),
    ({"meta": {"key": "mark"}}, "==", 1, None),
    (CT, "in", ["established", "related"], False),
    (CT, "==", {"set": ["new", "untracked"]}, True),
    ({"ct": {"key": "status"}}, "in", "dnat", False),
    ({"ct": {"key": "mark"}}, "==", 1, None),
    (FIB, "==", "local", False),
    (FIB, "==", "broadcast", None),
    (payload("ip", "saddr"), "==", {"prefix": {"addr": "172.168.1.0", "len": 24}}, True),
    (payload("ip", "saddr"), "==", "172.168.1.12", False),
    (payload("ip", "daddr"), "==", {"range": ["192.168.0.1", "192.168.0.9"]}, None),
    (payload("ip", "daddr"), "==", "192.168.0.2", True),
    (payload("ip", "daddr"), "==", "192.168.0.3", False),
    (payload("ip", "protocol"), "==", "tcp", True),
    (payload("ip", "ttl"), "<", 3, None),
    (payload("ip6", "daddr"), "==", "::1", False),
    (payload("icmpv6", "type"), "==", "echo-request", False),
    (payload("udp", "dport"), "==", 80, False),
    (payload("tcp", "dport"), "==", {"set": [22, {"range": [70, 90]}]}, True),
    (payload("tcp", "dport"), "==", 81, False),
    (payload("tcp", "sport"), "==", 81, None),
    (payload("icmp", "type"), "==", "echo-request", False),
    ({"&": [{"meta": {"key": "mark"}}, 1]}, "==", 1, None),
]


@pytest.mark.parametrize(("left", "op", "right", "met"), CONDITIONS)
def test_conditions(left: object, op: str, right: object, met: bool | None) -> None:
    match = {"match": {"left": left, "op": op, "right": right}}
    assert _line(match, {"accept": None}).meets(OUT) is met


PING = Packet("br0", "ens33", "172.168.1.11", "192.168.0.2", "icmp")
ANSWER = Packet("ens33", "br0", "192.168.0.2", "172.168.1.11", "icmp", 0, REPLY)

ICMP = [
    (PING, "echo-request", True),
    (PING, {"set": ["echo-reply", "echo-request"]}, True),
    (PING, "echo-reply", False),
    (ANSWER, "echo-request", None),  # of an answer it is not kept what it answers with
    (ANSWER, "destination-unreachable", None),
]


@pytest.mark.parametrize(("packet", "kind", "met"), ICMP)
def test_a_ping_and_its_answer(packet: Packet, kind: object, met: bool | None) -> None:
    match = {"match": {"left": payload("icmp", "type"), "op": "==", "right": kind}}
    assert _line(match, {"accept": None}).meets(packet) is met


def _ruleset(*statements: object) -> str:
    where = {"family": "inet", "table": "t"}
    chain = {**where, "name": "c", "type": "filter", "hook": "forward", "prio": 0, "policy": "drop"}
    return json.dumps({"nftables": [{"chain": chain}, {"rule": {**where, "chain": "c", "expr": statements}}]})


def _line(*statements: object) -> Line:
    [base] = bases(_ruleset(*statements))
    return base.chains["c"][0]


def test_a_verdict_map_is_a_line_for_each_of_its_elements() -> None:
    verdicts = {"set": [["established", {"accept": None}], ["new", {"jump": {"target": "d"}}], ["x", {"drop": None}]]}
    [base] = bases(_ruleset({"vmap": {"key": CT, "data": verdicts}}))
    lines = base.chains["c"]
    assert [(line.action, line.to, line.meets(OUT)) for line in lines] == [
        ("accept", "", False),
        ("jump", "d", True),
        ("drop", "", False),
    ]


def test_a_match_of_iptables_in_nftables_is_not_known() -> None:
    line = _line({"xt": {"type": "match", "name": "tcp"}}, {"counter": {"packets": 0, "bytes": 0}}, {"drop": None})
    assert (line.action, line.meets(OUT), line.text) == ("drop", None, "inet t c: drop")


@pytest.mark.parametrize("text", ["", "Error: JSON support not compiled-in", "[]", "{}"])
def test_what_cannot_be_read(text: str) -> None:
    assert bases(text) == []
