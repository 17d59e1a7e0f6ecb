"""What differs between two snapshots, in words."""

from typing import Any

import pytest

from netlab.snapshot.compare import Comparison, compare


def snapshot(**sections: Any) -> dict[str, Any]:
    return {"/format": 1, "host": {"link": {}, "namespace": {}, **sections}}


def said(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [line for difference in compare(before, after).differences for line in str(difference).splitlines()]


CASES: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "an address": (
        {"address": ["10.0.0.1/24 on eth0 scope global"]},
        {"address": ["10.0.0.1/24 on eth0 scope global", "172.168.1.11/24 on eth1 scope global"]},
        ["host: address: + 172.168.1.11/24 on eth1 scope global"],
    ),
    "a rule gone": (
        {"iptables": {"nat": [":INPUT ACCEPT", "-A X -j A", "-A X -j B"]}},
        {"iptables": {"nat": [":INPUT ACCEPT", "-A X -j B"]}},
        ["host: iptables nat: - -A X -j A"],
    ),
    "rules in another order": (
        {"iptables": {"nat": ["-A X -j A", "-A X -j B"]}},
        {"iptables": {"nat": ["-A X -j B", "-A X -j A"]}},
        ["host: iptables nat: + -A X -j B", "host: iptables nat: - -A X -j B"],
    ),
    "a policy": (
        {"iptables": {"filter": [":FORWARD DROP"]}},
        {"iptables": {"filter": [":FORWARD ACCEPT"]}},
        ["host: iptables filter: - :FORWARD DROP", "host: iptables filter: + :FORWARD ACCEPT"],
    ),
    "a table": (
        {"nft": {}},
        {"nft": {"inet mine": ["(table)"]}},
        ["host: nft inet mine: + (table)"],
    ),
    "a card": (
        {"link": {"br0": "bridge <UP> mtu 1500"}, "link details": {"br0": "bridge x 1"}, "sysctl": {}},
        {"link": {}, "link details": {}, "sysctl": {}},
        ["host: link: - br0 bridge <UP> mtu 1500"],
    ),
    "a card's mtu and name": (
        {"link": {"br0": "bridge <UP> mtu 1500 qdisc noqueue alias x"}},
        {"link": {"br0": "bridge <UP> mtu 1400 qdisc noqueue"}},
        ["host: link br0: mtu 1500 → mtu 1400", "host: link br0: noqueue alias x → noqueue"],
    ),
    "a bridge's details": (
        {"link": {"br0": "x"}, "link details": {"br0": "stp_state 0 priority 1"}},
        {"link": {"br0": "x"}, "link details": {"br0": "stp_state 1 priority 1"}},
        ["host: link details br0: stp_state 0 → stp_state 1"],
    ),
    "a sysctl": (
        {"sysctl": {"net.ipv4.ip_forward": "0"}},
        {"sysctl": {"net.ipv4.ip_forward": "1"}},
        ["host: sysctl net.ipv4.ip_forward: 0 → 1"],
    ),
    "the settings of a card that is gone are not said again": (
        {"link": {"veth1": "x"}, "sysctl": {"net.ipv4.conf.veth1.forwarding": "1"}},
        {"link": {}, "sysctl": {}},
        ["host: link: - veth1 x"],
    ),
    "a setting of a card that stays": (
        {"link": {"veth1": "x"}, "sysctl": {"net.ipv4.conf.veth1.forwarding": "1"}},
        {"link": {"veth1": "x"}, "sysctl": {"net.ipv4.conf.veth1.forwarding": "0"}},
        ["host: sysctl net.ipv4.conf.veth1.forwarding: 1 → 0"],
    ),
    "a namespace": (
        {"namespace": {}},
        {"namespace": {"container1": "live"}},
        ["host: namespace: + container1 live"],
    ),
    "a namespace that broke": (
        {"namespace": {"container1": "live"}},
        {"namespace": {"container1": "torn"}},
        ["host: namespace container1: live → torn"],
    ),
}


@pytest.mark.parametrize(("before", "after", "lines"), CASES.values(), ids=CASES)
def test_difference(before: dict[str, Any], after: dict[str, Any], lines: list[str]) -> None:
    assert said(snapshot(**before), snapshot(**after)) == lines
    assert compare(snapshot(**after), snapshot(**after)) == Comparison([], [])
    assert len(said(snapshot(**after), snapshot(**before))) == len(lines)


def test_the_content_of_a_new_namespace_is_not_said_line_by_line() -> None:
    after = {**snapshot(namespace={"c1": "live"}), "c1": {"address": ["10.0.0.1/24 on eth1"]}}
    assert said(snapshot(), after) == ["host: namespace: + c1 live"]


def test_a_namespace_that_only_one_snapshot_looked_into() -> None:
    names = {"namespace": {"c1": "live", "host": "live"}}
    after = {**snapshot(**names), "c1": {}, "netns/host": {}}
    assert said(snapshot(**names), after) == [
        "c1: namespace: + c1, of which the other snapshot has nothing",
        "netns/host: namespace: + host, of which the other snapshot has nothing",
    ]


def test_namespaces_are_compared_too_the_host_first() -> None:
    before = {"c1": {"address": ["a"]}, "a": {"address": ["a"]}, **snapshot(address=["a"])}
    after = {"c1": {"address": []}, "a": {"address": []}, **snapshot(address=[])}
    assert said(before, after) == ["host: address: - a", "a: address: - a", "c1: address: - a"]


def test_a_sysctl_that_appeared_is_reported_and_not_compared() -> None:
    names = {f"net.netfilter.nf_conntrack_{name}": "1" for name in "abcd"}
    found = compare(snapshot(sysctl={}), snapshot(sysctl={**names, "net.bridge.bridge-nf-call-iptables": "1"}))
    assert found.differences == []
    assert found.notes == [
        "host: sysctl: new under net.bridge, by a kernel module; not compared: net.bridge.bridge-nf-call-iptables = 1",
        "host: sysctl: new under net.netfilter, by a kernel module; not compared: net.netfilter.nf_conntrack_a = 1,"
        " net.netfilter.nf_conntrack_b = 1, net.netfilter.nf_conntrack_c = 1 and 1 more",
    ]


def test_a_sysctl_that_is_gone_is_a_difference() -> None:
    assert said(snapshot(sysctl={"net.x.y": "1"}), snapshot(sysctl={})) == ["host: sysctl: - net.x.y = 1"]


def test_a_list_of_loaded_modules_is_reported_and_not_compared() -> None:
    name = "net.ipv4.tcp_available_congestion_control"
    found = compare(snapshot(sysctl={name: "reno"}), snapshot(sysctl={name: "reno bbr"}))
    assert found == ([], [f"host: sysctl {name}: reno → reno bbr, by a kernel module; not compared"])


def test_what_could_be_read_on_one_side_only_is_reported() -> None:
    found = compare(snapshot(nft={"ip nat": ["(table)"]}), snapshot())
    assert found == ([], ["host: nft: not compared, for it could be read only before"])
