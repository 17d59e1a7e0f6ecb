"""What is a difference in the tools' own words, and what changes by itself."""

from __future__ import annotations

import pytest

from netlab.difference import EVERYWHERE, HOST, commands, difference, normal, said
from netlab.model import Command, Result

ADDR = """\
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    inet 127.0.0.1/8 scope host lo
       valid_lft forever preferred_lft forever
    inet6 ::1/128 scope host 
       valid_lft forever preferred_lft forever
2: eth1@if3: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000
    link/ether e2:2d:e8:af:83:1e brd ff:ff:ff:ff:ff:ff link-netnsid 0
    inet 172.168.1.11/24 scope global eth1
       valid_lft forever preferred_lft forever
    inet6 fe80::e02d:e8ff:feaf:831e/64 scope link tentative 
       valid_lft forever preferred_lft forever
"""  # noqa: W291 - so it prints

IP, ROUTE, NAT = Command(("ip", "addr"), "c"), Command(("ip", "route"), "c"), Command(HOST[-2])


def changed(command: Command, before: str, after: str) -> list[str]:
    return [str(each) for each in difference({command: before}, {command: after})]


def test_a_card_is_a_line_and_each_address_has_its_card() -> None:
    assert normal(IP, ADDR) == [
        "lo: <LOOPBACK,UP> mtu 65536",
        "inet 127.0.0.1/8 scope host lo",
        "inet6 ::1/128 scope host lo",
        "eth1: <BROADCAST,MULTICAST,UP> mtu 1500",
        "inet 172.168.1.11/24 scope global eth1",
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("eth1@if3", "eth1@if9"),
        ("2: eth1", "7: eth1"),
        ("e2:2d:e8:af:83:1e", "02:00:00:00:00:01"),
        ("fe80::e02d:e8ff:feaf:831e/64 scope link tentative", "fe80::1/64 scope link"),
        ("valid_lft forever preferred_lft forever", "valid_lft 86313sec preferred_lft 14313sec"),
        ("UP,LOWER_UP> mtu 1500 qdisc noqueue state UP", "NO-CARRIER,UP> mtu 1500 qdisc pfifo state LOWERLAYERDOWN"),
        ("qlen 1000", "qlen 77"),
    ],
)
def test_what_changes_by_itself_is_no_difference(old: str, new: str) -> None:
    assert old in ADDR
    assert changed(IP, ADDR, ADDR.replace(old, new)) == []


@pytest.mark.parametrize(
    ("command", "before", "after", "expected"),
    [
        (IP, ADDR, ADDR.replace("1.11/24", "1.11/16"),
         ["- inet 172.168.1.11/24 scope global eth1", "+ inet 172.168.1.11/16 scope global eth1"]),
        (IP, ADDR, ADDR.replace("MULTICAST,UP,", "MULTICAST,"),
         ["- eth1: <BROADCAST,MULTICAST,UP> mtu 1500", "+ eth1: <BROADCAST,MULTICAST> mtu 1500"]),
        (IP, ADDR, ADDR.replace("mtu 1500", "mtu 1500 master br0"),
         ["- eth1: <BROADCAST,MULTICAST,UP> mtu 1500", "+ eth1: <BROADCAST,MULTICAST,UP> mtu 1500 master br0"]),
        (ROUTE, "", "default via 172.168.1.1 dev eth1 \n", ["+ default via 172.168.1.1 dev eth1"]),
        (ROUTE, "10.0.0.0/8 dev x linkdown \n", "10.0.0.0/8 dev x \n", []),
        (ROUTE, "default via 10.0.0.1 dev x expires 17sec\n", "default via 10.0.0.1 dev x expires 3sec\n", []),
        (NAT, "-P POSTROUTING ACCEPT\n", "-P POSTROUTING ACCEPT\n-A POSTROUTING -o ens33 -j MASQUERADE\n",
         ["+ -A POSTROUTING -o ens33 -j MASQUERADE"]),
        (Command(HOST[0]), "b (id: 0)\na\n", "a (id: 1)\nb\n", []),
        (Command(HOST[0]), "b (id: 0)\n", "a\nb\n", ["+ a"]),
        (Command(EVERYWHERE[2]), "net.ipv4.ip_forward = 0\n", "net.ipv4.ip_forward = 1\n",
         ["- net.ipv4.ip_forward = 0", "+ net.ipv4.ip_forward = 1"]),
    ],
)  # fmt: skip
def test_a_difference_is_what_the_tool_prints(command: Command, before: str, after: str, expected: list[str]) -> None:
    assert changed(command, before, after) == expected


def test_a_change_names_its_node_and_its_command() -> None:
    (new,) = difference({}, {ROUTE: "default dev eth1"})
    assert (new.node, new.command, new.sign, new.text) == ("c", "ip route", "+", "default dev eth1")
    (new,) = difference({}, {NAT: "-A POSTROUTING -j MASQUERADE"})
    assert (new.node, new.command) == ("host", "iptables -w -t nat -S")


def test_the_changes_of_all_commands_and_places_are_told() -> None:
    before = {IP: ADDR, ROUTE: "a\nkept\nb\n", Command(("ip", "addr"), "d"): ADDR}
    after = {IP: "", ROUTE: "kept\nc\n", Command(("ip", "addr"), "d"): ADDR}
    found = difference(before, after)
    assert [(each.command, each.sign, each.text) for each in found[-3:]] == [
        ("ip route", "-", "a"), ("ip route", "-", "b"), ("ip route", "+", "c")
    ]  # fmt: skip
    assert len(found) == len(normal(IP, ADDR)) + 3


def test_the_host_is_asked_for_its_rules_and_each_node_for_the_rest() -> None:
    asked = commands(["c"])
    assert [each.argv for each in asked if each.netns is None] == [*HOST]
    assert [each.argv for each in asked if each.netns == "c"] == [*EVERYWHERE]


def test_a_node_that_is_not_there_says_nothing() -> None:
    assert said([IP, ROUTE], [Result(1, "", "no such namespace"), Result(0, "x", "")]) == {IP: "", ROUTE: "x"}
