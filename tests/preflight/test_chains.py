"""A packet led through chains: what decides, and what cannot be known."""

import pytest

from netlab.facts import parse_table
from netlab.preflight.chains import Packet, named, walk, within
from netlab.preflight.iptables import chains

PACKET = Packet("br0", "ens33", "172.168.1.11", "192.168.0.2", "tcp", 80)
PING = Packet("br0", "ens33", "172.168.1.11", "192.168.0.2", "icmp")

CONDITIONS: dict[str, bool | None] = {
    "": True,
    "-s 172.168.1.0/24": True,
    "! -s 172.168.1.0/24": False,
    "-s 0.0.0.0/0": True,
    "-d 192.168.0.2/32": True,
    "-d 10.0.0.0/8": False,
    "-i br0": True,
    "! -i br0": False,
    "-i br+": True,
    "-i veth+": False,
    "-o ens33": True,
    "-o ens34": False,
    "-p tcp": True,
    "-p udp": False,
    "-p tcp -m tcp --dport 80": True,
    "-p tcp -m tcp --dport 81": False,
    "-p tcp -m tcp ! --dport 81": True,
    "-p tcp -m tcp --dport 70:90": True,
    "-p tcp -m tcp --dport :79": False,
    "-p tcp -m multiport --dports 443,70:90": True,
    "-p tcp -m multiport --dports 443,8080": False,
    "-p tcp -m tcp --sport 80": None,
    "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN": None,
    "-f": False,
    "-m conntrack --ctstate NEW": True,
    "-m conntrack --ctstate RELATED,ESTABLISHED": False,
    "-m conntrack ! --ctstate INVALID": True,
    "-m state --state NEW,INVALID": True,
    "-m addrtype --dst-type LOCAL": False,
    "-m addrtype --dst-type BROADCAST": None,
    "-m comment --comment anything": True,
    "-m limit --limit 3/min": None,
    "-m mark --mark 0x1": None,
    "-m set --match-set some dst": None,
    "-m physdev --physdev-is-bridged": False,
    "-m physdev --physdev-in veth1": None,
    "-s 10.0.0.0/8 -m mark --mark 0x1": False,
}


@pytest.mark.parametrize(("condition", "met"), CONDITIONS.items(), ids=CONDITIONS)
def test_conditions(condition: str, met: bool | None) -> None:
    table = parse_table(f"*filter\n:FORWARD ACCEPT\n-A FORWARD {condition} -j DROP\nCOMMIT\n", "filter")
    [line] = chains(table)["FORWARD"]
    assert line.meets(PACKET) is met


WALKS: dict[str, tuple[list[str], str]] = {
    "nothing": ([], "accept"),
    "dropped": (["FORWARD -j DROP"], "drop by FORWARD -j DROP"),
    "accepted before": (["FORWARD -j ACCEPT", "FORWARD -j DROP"], "accept by FORWARD -j ACCEPT"),
    "logged only": (["FORWARD -j LOG"], "accept"),
    "no target": (["FORWARD -i br0"], "accept"),
    "a chain that falls through": (["FORWARD -j ONE", "FORWARD -j DROP"], "drop by FORWARD -j DROP"),
    "a chain that decides": (["ONE -j REJECT", "FORWARD -j ONE"], "drop by ONE -j REJECT"),
    "a chain that returns": (["ONE -j RETURN", "ONE -j DROP", "FORWARD -j ONE"], "accept"),
    "a chain that is not reached": (["ONE -j DROP", "FORWARD -i lo -j ONE"], "accept"),
    "goto ends where it came from": (["FORWARD -g ONE", "FORWARD -j DROP"], "accept"),
    "goto returns to the chain before": (
        ["TWO -j RETURN", "ONE -g TWO", "ONE -j DROP", "FORWARD -j ONE", "FORWARD -j REJECT"],
        "drop by FORWARD -j REJECT",
    ),
    "perhaps dropped": (["FORWARD -m mark --mark 1 -j DROP"], "perhaps drop by FORWARD -m mark --mark 1 -j DROP"),
    "perhaps accepted": (["FORWARD -m mark --mark 1 -j ACCEPT", "FORWARD -j DROP"], "perhaps drop by FORWARD -j DROP"),
    "perhaps dropped, surely before that": (["FORWARD -j ACCEPT", "FORWARD -m mark --mark 1 -j DROP"],
                                            "accept by FORWARD -j ACCEPT"),
    "perhaps in a chain": (["ONE -j DROP", "FORWARD -m mark --mark 1 -j ONE"], "perhaps drop by ONE -j DROP"),
    "perhaps returned": (
        ["ONE -m mark --mark 1 -j RETURN", "ONE -j DROP", "FORWARD -j ONE"], "perhaps drop by ONE -j DROP",
    ),
    "perhaps gone elsewhere": (
        ["FORWARD -m mark --mark 1 -g ONE", "FORWARD -j DROP"], "perhaps drop by FORWARD -j DROP",
    ),
    "a circle": (["ONE -j TWO", "TWO -j ONE", "FORWARD -j ONE"], "accept"),
}  # fmt: skip


@pytest.mark.parametrize(("rules", "expected"), WALKS.values(), ids=WALKS)
def test_walks(rules: list[str], expected: str) -> None:
    text = "*filter\n:FORWARD ACCEPT\n:ONE -\n:TWO -\n" + "".join(f"-A {rule}\n" for rule in rules) + "COMMIT\n"
    verdict = walk(chains(parse_table(text, "filter")), "FORWARD", PACKET)
    by = f" by {verdict.line.text.removeprefix('-A ')}" if verdict.line is not None else ""
    assert f"{'' if verdict.sure else 'perhaps '}{verdict.action}{by}" == expected


def test_the_policy_decides_last() -> None:
    assert walk({}, "FORWARD", PACKET, "drop").action == "drop"


PINGS = {"--icmp-type 8": True, "--icmp-type 8/0": True, "--icmp-type 3": False, "! --icmp-type 8": False}


@pytest.mark.parametrize(("words", "met"), PINGS.items(), ids=PINGS)
def test_pings(words: str, met: bool) -> None:
    table = parse_table(f"*filter\n:INPUT ACCEPT\n-A INPUT -p icmp -m icmp {words} -j ACCEPT\nCOMMIT\n", "filter")
    assert chains(table)["INPUT"][0].meets(PING) is met


def test_what_is_not_known_is_neither_yes_nor_no() -> None:
    assert within("", "10.0.0.0/8") is None
    assert within("", "0.0.0.0/0") is True
    assert within("10.0.0.1", "a-name") is None
    assert named("", "br0", "+") is None
    assert named("", "+", "+") is True
