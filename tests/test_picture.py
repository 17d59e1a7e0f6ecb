"""A picture is made of what the facts show: cables by what both ends say, rules by what they mean."""

from __future__ import annotations

from typing import Any

import pytest

from netlab.facts import parse_stack, parse_table
from netlab.model import Address, Facts, Link, Namespaces, Query, Route, Stack, Table
from netlab.picture import FORWARD, NOTHING, Card, End, Shown, elements, natural, picture, picture_json, queries


def facts(stacks: dict[str, Stack], **more: Any) -> Facts:
    """``stacks`` by namespace, "" is the lab host; ``more``: forwarding, filter, nat."""
    answers: dict[Query, Any] = {Query("namespaces"): Namespaces(frozenset(stacks) - {""}, frozenset({"torn"}))}
    for name, stack in stacks.items():
        answers[Query("stack", name)] = stack
        answers[Query("listeners", name)] = frozenset()
        answers[Query("sysctl", name, FORWARD)] = {FORWARD: more.get("forwarding", "0")} if not name else {}
    for table in ("filter", "nat"):
        answers[Query("iptables", "", table)] = parse_table(more.get(table, ""), table)
    return Facts(answers)


def cards(*links: Link) -> Stack:
    return Stack({each.name: each for each in links})


def veth(name: str, index: int, peer: int, netns: str = "") -> Link:
    return Link(name, index, "veth", up=True, peer_index=peer, peer_netns=netns)


def here(name: str, peer: str) -> Link:
    """One end of a pair whose other end is in the same namespace."""
    return Link(name, 1, "veth", up=True, peer_name=peer)


def far(stacks: dict[str, Stack], node: str, card: str) -> End | None:
    drawn = picture(facts(stacks), stacks, ("router", "internet"))
    found = drawn.node(node)
    assert found is not None
    the_card = found.card(card)
    assert the_card is not None
    return the_card.far


# Two pairs whose ends have the same two numbers: only the namespaces that ip names tell which belongs to which.
ALIKE = {
    "": cards(veth("veth1", 5, 2, "container1")),
    "container1": cards(veth("eth1", 2, 5)),
    "router": cards(veth("wan", 5, 2, "internet")),
    "internet": cards(veth("eth0", 2, 5, "router")),
}


@pytest.mark.parametrize(
    ("node", "card", "expected"),
    [
        ("", "veth1", End("container1", "eth1")),
        ("container1", "eth1", End("", "veth1")),
        ("router", "wan", End("internet", "eth0")),
        ("internet", "eth0", End("router", "wan")),
    ],
)
def test_a_cable_leads_where_both_ends_say(node: str, card: str, expected: End) -> None:
    assert far(ALIKE, node, card) == expected
    assert far(dict(reversed(ALIKE.items())), node, card) == expected


def test_where_ip_gives_numbers_the_lab_hosts_own_are_names() -> None:
    """iproute2 4.11 names nothing, and the lab host's numbers alone are looked up."""
    stacks = {
        "client": cards(veth("eth0", 2, 5)),
        "container1": cards(veth("eth1", 2, 5)),
        "router": cards(veth("lan1", 5, 2)),
        "": cards(veth("veth1", 5, 2, "container1")),
    }
    assert far(stacks, "container1", "eth1") == End("", "veth1")
    assert far(stacks, "client", "eth0") == End("router", "lan1")


def test_two_containers_whose_cables_lead_to_the_host_are_not_joined() -> None:
    """Nobody has a name for the lab host: from in there both look as if they could be each other's."""
    stacks = {
        "x": cards(veth("e", 2, 5)),
        "y": cards(veth("f", 5, 2)),
        "": cards(veth("a", 5, 2, "x"), veth("b", 2, 5, "y")),
    }
    assert far(stacks, "x", "e") == End("", "a")
    assert far(stacks, "y", "f") == End("", "b")


def test_ip_names_the_namespace_of_the_other_end() -> None:
    said = r"3: veth1@if2: <UP> mtu 1500 \    link/ether aa brd ff link-netns container1 promiscuity 0 \    veth "
    assert parse_stack(said).links["veth1"].peer_netns == "container1"
    assert parse_stack(said.replace("link-netns container1", "link-netnsid 0")).links["veth1"].peer_netns == "#0"


@pytest.mark.parametrize(
    ("stacks", "expected"),
    [
        ({"": cards(veth("a", 5, 2)), "x": cards(veth("b", 2, 5))}, End("x", "b")),  # an old ip names nothing
        ({"": cards(veth("a", 5, 2)), "x": cards(veth("b", 2, 6))}, None),
        ({"": cards(veth("a", 5, 2, "y")), "x": cards(veth("b", 2, 5))}, None),
        ({"": cards(veth("a", 5, 2)), "x": cards(Link("b", 2, "macvlan", up=True, peer_index=5))}, None),
        ({"": cards(here("a", "b"), here("b", "a"))}, End("", "b")),
        ({"": cards(here("a", "b"))}, None),
    ],
)  # fmt: skip
def test_a_pair_is_one_whose_ends_name_each_other(stacks: dict[str, Stack], expected: End | None) -> None:
    assert far(stacks, "", "a") == expected


def test_a_card_has_its_addresses_without_those_that_the_kernel_made_up() -> None:
    shown = ("10.0.0.1/24", "fe80::1/64", "::1/128", "2001:db8::7/64")
    stack = Stack({"e": Link("e", 1, "", up=False)}, tuple(Address("e", each) for each in shown))
    drawn = picture(facts({"": stack}), ())
    assert drawn.host.cards == (Card("e", "", up=False, addresses=("10.0.0.1/24", "2001:db8::7/64")),)


def test_a_way_is_a_route_that_somebody_added() -> None:
    routes = (Route("10.0.0.0/24", "e", protocol="kernel"), Route("default", "e", "10.0.0.2", protocol="dhcp"))
    drawn = picture(facts({"": Stack(routes=routes)}), ())
    assert [str(each) for each in drawn.host.ways] == ["default via 10.0.0.2 dev e"]


def test_nodes_come_in_the_order_in_which_people_count() -> None:
    names = ["container10", "container2", "a", "container1"]
    drawn = picture(facts({"": Stack(), **{each: Stack() for each in names}}), [*names, "torn", "gone"], ("a",))
    assert [each.name for each in drawn.containers] == ["container1", "container2", "container10"]
    assert [each.name for each in drawn.around] == ["a"]
    assert sorted(["10", "a1", "9", "", "a"], key=natural) == ["", "9", "10", "a", "a1"]


NAT = """*nat
:PREROUTING ACCEPT [0:0]
-A PREROUTING -p tcp -m tcp --dport 8888 -j DNAT --to-destination 172.168.1.11:80
-A PREROUTING -p tcp -m tcp --dport 8887 -m comment --comment "a b" -j DNAT --to-destination 172.168.1.11:80
-A POSTROUTING -s 172.168.1.0/24 -o ens33 -j MASQUERADE
-A POSTROUTING -s 172.168.1.0/24 ! -o br0 -j MASQUERADE
-A DOCKER -i br0 -j RETURN
COMMIT
"""


def test_rules_are_shown_in_iptables_words_and_short_where_they_are_the_lessons_own() -> None:
    pre, post = picture(facts({"": Stack()}, nat=NAT), ()).chains[1:]
    assert pre.rules == (
        Shown("-p tcp --dport 8888 -j DNAT --to-destination 172.168.1.11:80", "DNAT tcp 8888 to 172.168.1.11:80"),
        Shown(*["-p tcp -m comment --comment a b --dport 8887 -j DNAT --to-destination 172.168.1.11:80"] * 2),
    )
    assert [each.short for each in post.rules] == [
        "MASQUERADE 172.168.1.0/24 by ens33",
        "-s 172.168.1.0/24 ! -o br0 -j MASQUERADE",
    ]


def test_every_chain_that_counts_is_there_also_when_its_table_was_never_used() -> None:
    assert [(each.name, each.policy, each.rules) for each in picture(facts({"": Stack()}), ()).chains] == [
        ("FORWARD", "ACCEPT", ()),
        ("PREROUTING", "ACCEPT", ()),
        ("POSTROUTING", "ACCEPT", ()),
    ]


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        (cards(Link("lo", 1, "loopback", up=True)), None),
        (Stack({"e": Link("e", 1, "", up=True)}, routes=(Route("default", "e", "10.0.0.2"),)), "e"),
        (cards(Link("e", 1, "", up=True), veth("u", 5, 2, "router")), "u"),
        (
            Stack({"d": Link("d", 1, "", True), "u": veth("u", 5, 2)}, routes=(Route("default", "d", "10.0.0.2"),)),
            "u",
        ),
    ],
)
def test_the_uplink_leads_to_what_is_around_or_by_the_default_route(stack: Stack, expected: str | None) -> None:
    stacks = {"": stack, "router": cards(veth("lan", 2, 5))}
    uplink = picture(facts(stacks), stacks, ("router",)).uplink()
    assert (uplink.name if uplink is not None else None) == expected


def test_a_picture_asks_for_no_more_than_it_shows() -> None:
    asked = queries(["container1"])
    full = facts({"": Stack(), "container1": Stack()})
    assert asked == full.answers.keys()
    picture(Facts({each: full.answers[each] for each in asked}), ["container1"])


def test_the_elements_of_nothing_are_the_host_alone() -> None:
    assert elements(NOTHING) == {("node", "host")}
    assert picture_json(NOTHING)["containers"] == ()


def test_in_json_a_cable_ends_at_the_host_by_its_name() -> None:
    shape: Any = picture_json(picture(facts(ALIKE), ALIKE, ("router", "internet")))
    assert shape["containers"][0]["cards"][0]["far"] == {"node": "host", "card": "veth1"}
    assert Table() == facts({"": Stack()}).table(None, "nat")
