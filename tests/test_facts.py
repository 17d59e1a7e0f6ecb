"""What the tools printed, in tests/data, and the values it stands for."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlab import facts
from netlab.model import Address, Link, Listener, Namespaces, Route, Stack, Table
from netlab.rules import canonical, words

DATA = Path(__file__).parent / "data"


def captured(name: str) -> str:
    """What a tool printed: the file without its command line and its exit code."""
    lines = (DATA / f"{name}.txt").read_text().split("\n")
    assert lines[0].startswith("$ "), name
    assert lines[-2].startswith("[exit "), name
    return "".join(f"{line}\n" for line in lines[1:-2])


# --- old tools and new ones ------------------------------------------------------------------------------------------


def stack(text: str) -> Stack:
    """Without the IPv6 link-local addresses, which follow the cards' random MAC addresses."""
    parsed = facts.parse_stack(text)
    addresses = tuple(address for address in parsed.addresses if not address.cidr.startswith("fe80:"))
    return Stack(parsed.links, addresses, parsed.routes)


def table(text: str) -> Table:
    return facts.parse_table(text, "nat" if "*nat" in text else "filter")


SAME_FROM_BOTH = [
    (stack, "link"),
    (stack, "link-details"),
    (stack, "link-veth"),
    (stack, "link-master"),
    (stack, "addr"),
    (stack, "addr-4"),
    (stack, "route"),
    (stack, "route-default"),
    (stack, "container1-addr"),
    (stack, "container1-link"),
    (stack, "container1-route"),
    (stack, "fresh-container-link"),
    (stack, "fresh-container-addr"),
    (facts.parse_listeners, "ss-listening"),
    (facts.parse_sysctl, "sysctl-before"),
    (facts.parse_sysctl, "sysctl-ip_forward"),
    (facts.parse_sysctl, "sysctl-unknown"),
    (table, "iptables-save-filter"),
    (table, "iptables-save-nat"),
]


@pytest.mark.parametrize(("parse", "name"), SAME_FROM_BOTH)
def test_old_and_new_tools_say_the_same(parse: object, name: str) -> None:
    assert callable(parse)
    assert parse(captured(f"el7/{name}")) == parse(captured(f"debian12/{name}"))


# --- stack -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tools", ["el7", "debian12"])
def test_the_whole_tutorial(tools: str) -> None:
    text = "".join(captured(f"{tools}/{name}") for name in ("link-details", "addr-4", "route"))
    assert facts.parse_stack(text) == Stack(
        links={
            "lo": Link("lo", 1, "loopback", up=True),
            "ens33": Link("ens33", 2, "veth", up=True, peer_index=2),
            "veth1": Link("veth1", 4, "veth", up=True, master="br0", peer_index=3),
            "veth2": Link("veth2", 6, "veth", up=True, master="br0", peer_index=5),
            "br0": Link("br0", 7, "bridge", up=True),
        },
        addresses=(
            Address("lo", "127.0.0.1/8"),
            Address("ens33", "192.168.0.10/24"),
            Address("br0", "172.168.1.1/24"),
        ),
        routes=(
            Route("default", "ens33", via="192.168.0.2"),
            Route("172.168.1.0/24", "br0"),
            Route("172.168.1.0/24", "br0", protocol="kernel"),
            Route("192.168.0.0/24", "ens33", protocol="kernel"),
        ),
    )


@pytest.mark.parametrize("tools", ["el7", "debian12"])
def test_a_fresh_container_is_down(tools: str) -> None:
    links = facts.parse_stack(captured(f"{tools}/fresh-container-link")).links
    assert [(link.name, link.up) for link in links.values()] == [("lo", False), ("eth1", False)]
    assert facts.parse_stack(captured(f"{tools}/fresh-container-addr")) == Stack()


ODD_LINKS = [
    Link("lo", 1, "loopback", up=True),
    Link("br0", 2, "bridge", up=True),
    Link("veth1", 3, "veth", up=True, master="br0", peer_index=2),
    Link("eth2", 4, "veth", up=True, peer_name="veth2", group="77"),
    Link("veth2", 5, "veth", up=True, peer_name="eth2"),
    Link("é$x", 6, "veth", up=False, peer_name="a;id"),
    Link("a;id", 7, "veth", up=False, peer_name="é$x"),
    Link("master", 8, "bridge", up=False),
    Link("dev", 9, "veth", up=False, peer_name="via", master="master"),
    Link("via", 10, "veth", up=True, peer_name="dev"),
    Link("up", 11, "veth", up=False, peer_name="eth0.5"),
    Link("eth0.5", 12, "veth", up=False, peer_name="up"),
    Link("inet", 13, "veth", up=False, peer_name="b\\"),
    Link("b\\", 14, "veth", up=False, peer_name="inet"),
    Link("if9x", 15, "veth", up=False, peer_name="w\x1cx"),
    Link("w\x1cx", 16, "veth", up=False, peer_name="if9x"),
    Link("vx0", 17, "vxlan", up=False),
]


def test_odd_links_and_an_alias_that_looks_like_one() -> None:
    links = facts.parse_stack(captured("odd/batch-details")).links
    assert list(links.items()) == [(link.name, link) for link in ODD_LINKS]


def test_kinds_need_details() -> None:
    links = facts.parse_stack(captured("odd/batch")).links
    assert {link.kind for link in links.values()} == {"loopback", ""}


ODD_ADDRESSES = [
    ("lo", "127.0.0.1/8"), ("lo", "127.0.0.2/8"), ("lo", "::1/128"), ("br0", "172.168.1.1/24"),
    ("veth2", "10.0.0.1/32"), ("veth2", "10.7.0.1/24"), ("veth2", "fd00::1/128"),
    ("via", "10.8.0.1/24"), ("inet", "10.9.0.1/16"), ("vx0", "10.10.0.1/24"),
]  # fmt: skip


@pytest.mark.parametrize("name", ["odd/batch", "odd/batch-details"])
def test_addresses_with_a_peer_a_label_or_a_lifetime(name: str) -> None:
    assert [(address.dev, address.cidr) for address in stack(captured(name)).addresses] == ODD_ADDRESSES


ODD_ROUTES = (
    Route("default", "br0", via="172.168.1.9"),
    Route("default", "br0", via="172.168.1.10", metric="100"),
    Route("10.0.0.2/32", "veth2", protocol="kernel"),
    Route("10.7.0.0/24", "veth2", protocol="kernel"),
    Route("10.8.0.0/24", "via", protocol="kernel"),
    Route("10.50.0.0/16", "veth2", via="10.7.0.8", metric="50"),
    Route("10.51.0.0/16", ""),  # blackhole
    Route("10.52.0.0/16", "", metric="7"),  # unreachable
    Route("10.53.0.1/32", ""),  # prohibit
    Route("10.53.0.2/32", ""),  # throw
    Route("10.54.0.0/16", "", protocol="static"),  # two next hops
    Route("10.55.0.0/16", "br0", via="172.168.1.6"),  # a next hop object
    Route("10.56.0.0/16", "veth2", via="10.200.0.1"),
    Route("10.57.0.0/16", "veth2", via="fd00::2"),
    Route("10.58.0.1/32", "via", protocol="static"),
    Route("10.59.0.0/16", ""),  # for one TOS
    Route("10.60.0.0/24", ""),  # local
    Route("10.61.0.0/16", "via", via="10.8.0.7", protocol="openr"),
    Route("172.168.1.0/24", "br0", protocol="kernel"),
)


@pytest.mark.parametrize("name", ["odd/batch", "odd/batch-details", "odd/route", "odd/route-details"])
def test_routes_with_and_without_details(name: str) -> None:
    assert facts.parse_stack(captured(name)).routes == ODD_ROUTES


CARD = "2: {}: <BROADCAST,MULTICAST{}> mtu 1500 qdisc mq state UP mode DEFAULT group default\\    link/ether 00:11{}"


@pytest.mark.parametrize(
    ("line", "link"),
    [
        # No kind: what follows the hardware address belongs to a port or to the name.
        (CARD.format("eth0", ",UP", ""), Link("eth0", 2, "", up=True)),
        (CARD.format("eth0", ",UP", "\\    bridge_slave state forwarding"), Link("eth0", 2, "", up=True)),
        (CARD.format("eth0", ",UP", "\\    bond_slave state ACTIVE"), Link("eth0", 2, "", up=True)),
        (CARD.format("eth0", ",UP", "\\    altname enp0s3"), Link("eth0", 2, "", up=True)),
        (CARD.format("eth0", ",UP", "\\    vf 0 link/ether 00:22"), Link("eth0", 2, "", up=True)),
        (CARD.format("eth0", ",UP", "\\    alias veth"), Link("eth0", 2, "", up=True)),
        # Carrier is not up, and up needs no carrier.
        (CARD.format("eth0", ",LOWER_UP", ""), Link("eth0", 2, "", up=False)),
        # What stands behind the "@".
        (CARD.format("eth0.5@eth0", "", "\\    vlan id 5"), Link("eth0.5", 2, "vlan", up=False, peer_name="eth0")),
        (CARD.format("tun0@NONE", "", "\\    ipip any"), Link("tun0", 2, "ipip", up=False)),
        (CARD.format("a@b@if4", "", "\\    veth"), Link("a@b", 2, "veth", up=False, peer_index=4)),
        # iproute2 3.10 shows no group.
        (CARD.format("eth0", "", "").replace(" group default", ""), Link("eth0", 2, "", up=False)),
    ],
)  # fmt: skip
def test_links_that_could_not_be_made_here(line: str, link: Link) -> None:
    assert facts.parse_stack(line).links == {link.name: link}


def test_only_blanks_part_the_words_of_a_route() -> None:
    assert facts.parse_stack("10.0.0.0/8 dev w\x1cx scope link \n").routes == (Route("10.0.0.0/8", "w\x1cx"),)


# --- namespaces ------------------------------------------------------------------------------------------------------


def test_a_plain_file_is_a_torn_namespace() -> None:
    expected = Namespaces(live=frozenset({"container1", "container2"}), torn=frozenset({"torn"}))
    mountinfo = captured("odd/mountinfo")
    assert facts.parse_namespaces(captured("odd/netns"), mountinfo) == expected
    assert facts.parse_namespaces(captured("odd/netns-list"), mountinfo) == expected


def test_a_namespace_under_another_run_is_not_there() -> None:
    """The sandbox's own /run hides the machine's container1; container2 is in both, and a blank is octal."""
    found = facts.parse_namespaces(captured("odd/netns-covered"), captured("odd/mountinfo-covered"))
    assert found == Namespaces(live=frozenset({"container2", "with space"}), torn=frozenset({"container1"}))


ROOT = "1 0 8:1 / / rw - xfs /dev/sda1 rw\n"


@pytest.mark.parametrize(
    ("mount", "live"),
    [
        ("9 1 0:4 net:[4026532248] /run/netns/c rw shared:2 - nsfs nsfs rw", True),
        ("9 1 0:4 net:[4026532248] /var/run/netns/c rw shared:2 master:1 - nsfs nsfs rw", True),
        ("9 1 0:4 net:[4026532248] /run/netns/c rw - nsfs nsfs rw", True),
        # before kernel 3.19; written by hand
        ("9 1 0:3 /net:[4026532248] /run/netns/c rw shared:2 - proc proc rw", True),
        ("9 1 0:3 / /run/netns/c rw,nosuid - proc proc rw", True),
        ("9 1 0:5 / /run/netns/c rw - tmpfs nsfs rw", False),
        ("9 1 0:4 net:[4026532248] /run/netns/c/d rw - nsfs nsfs rw", False),
        ("9 1 0:4 net:[4026532248] /srv/run/netns/c rw - nsfs nsfs rw", False),
        ("9 1 0:4 net:[4026532248] /run/netns/cc rw - nsfs nsfs rw", False),
    ],
)
def test_mounts_that_make_a_name_live(mount: str, *, live: bool) -> None:
    found = facts.parse_namespaces("c\n", ROOT + mount + "\n")
    assert found == (Namespaces(live=frozenset({"c"})) if live else Namespaces(torn=frozenset({"c"})))


def test_names_as_ip_netns_list_prints_them() -> None:
    for tools in ("el7", "debian12"):
        assert facts.parse_namespaces(captured(f"{tools}/netns-list"), "").torn == {"container1", "container2", "wan"}


@pytest.mark.parametrize("tools", ["el7", "debian12"])
def test_names_by_the_kernels_numbers(tools: str) -> None:
    numbers = facts.parse_numbers(captured(f"{tools}/netns-list"))
    assert numbers == {"#0": "wan", "#1": "container1", "#2": "container2"}
    link = facts.parse_stack(captured("el7/link-details")).links["veth1"]
    assert (link.peer_netns, numbers[link.peer_netns]) == ("#1", "container1")


# --- listeners -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tools", ["el7", "debian12"])
def test_a_server_in_a_container(tools: str) -> None:
    assert facts.parse_listeners(captured(f"{tools}/ss-listening")) == {Listener("0.0.0.0", 80)}


@pytest.mark.parametrize("name", ["odd/ss", "odd/ss-processes", "odd/ss-udp"])
def test_every_form_of_an_address(name: str) -> None:
    listeners = {listener for listener in facts.parse_listeners(captured(name)) if listener.port != 87}
    assert listeners == {
        Listener("0.0.0.0", 80),
        Listener("127.0.0.1", 81),
        Listener("0.0.0.0", 82),  # "*", a server for IPv6 and IPv4
        Listener("::1", 83),
        Listener("127.0.0.1", 84),  # on lo only
        Listener("fd00::1", 85),
        Listener("::", 86),
    }


@pytest.mark.parametrize(
    ("local", "address"),
    [
        ("*:80", "0.0.0.0"),
        (":::80", "::"),
        ("::1:80", "::1"),
        ("[::]:80", "::"),
        ("[fe80::1]%eth0:80", "fe80::1"),
        ("fe80::1%eth0:80", "fe80::1"),
        ("127.0.0.1%lo:80", "127.0.0.1"),
        ("::ffff:127.0.0.1:80", "::ffff:127.0.0.1"),
    ],
)
def test_old_and_new_forms_of_a_local_address(local: str, address: str) -> None:
    assert facts.parse_listeners(f"LISTEN     0      5      {local}      *:*\n") == {Listener(address, 80)}


@pytest.mark.parametrize("line", ["ESTAB 0 0 1.2.3.4:80 1.2.3.5:9", "LISTEN 0 5 *:http *:*", "udp UNCONN 0 0 *:80 *:*"])
def test_other_sockets_do_not_listen(line: str) -> None:
    assert facts.parse_listeners(line) == frozenset()


# --- sysctl ----------------------------------------------------------------------------------------------------------


def test_values_and_what_there_is_not() -> None:
    assert facts.parse_sysctl(captured("odd/sysctl")) == {
        "net.ipv4.conf.eth0/5.forwarding": "0",
        "net.ipv4.conf.lo.forwarding": "0",
        "net.ipv4.ip_forward": "0",
        "net.ipv4.tcp_rmem": "4096\t131072\t33554432",
        "net.ipv4.ip_local_reserved_ports": "",
    }


@pytest.mark.parametrize("tools", ["el7", "debian12"])
def test_warnings_are_no_values(tools: str) -> None:
    assert facts.parse_sysctl(captured(f"{tools}/sysctl-ip_forward")) == {"net.ipv4.ip_forward": "1"}
    assert facts.parse_sysctl(captured(f"{tools}/sysctl-unknown")) == {}


def test_grep_and_sysctl_name_alike() -> None:
    by_grep = facts.parse_sysctl(captured("odd/sysctl-grep"))
    assert by_grep == facts.parse_sysctl(captured("odd/sysctl-pattern"))
    assert {"net.ipv4.conf.eth0/5.forwarding", "net.ipv4.conf.a;id.forwarding"} <= by_grep.keys()


# The kernel refuses blanks, slashes and colons in the name of a card.
PARTS = st.text(st.characters(exclude_categories=("Z", "C"), exclude_characters="/:"), min_size=1)
SETTINGS = st.dictionaries(
    st.lists(PARTS, min_size=2, max_size=5).map(tuple), st.text(st.characters(exclude_characters="\n"))
)


@given(SETTINGS)
def test_settings_survive_both_ways_of_printing(settings: dict[tuple[str, ...], str]) -> None:
    expected = {".".join(part.replace(".", "/") for part in parts): value for parts, value in settings.items()}
    grep = "".join(f"/proc/sys/{'/'.join(parts)}:{value}\n" for parts, value in settings.items())
    sysctl = "".join(f"{name} = {value}\n" for name, value in expected.items())
    assert facts.parse_sysctl(grep) == expected
    assert facts.parse_sysctl(sysctl) == expected


# --- iptables and nft ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tools", ["el7", "debian12"])
def test_the_tutorials_nat_table(tools: str) -> None:
    nat = facts.parse_table(captured(f"{tools}/iptables-save-nat"), "nat")
    assert nat.policies == dict.fromkeys(("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"), "ACCEPT")
    assert [(rule.chain, rule.match) for rule in nat.rules] == [
        ("PREROUTING", canonical(words("-p tcp --dport 8888 -j DNAT --to- 172.168.1.11:80"))),
        ("PREROUTING", canonical(words("-p tcp --dport 9999 -j DNAT --to- 172.168.1.12:80"))),
        ("POSTROUTING", canonical(words("-s 172.168.1.0/24 -o ens33 -j MASQUERADE"))),
        ("POSTROUTING", canonical(words('-s 10.9.9.0/24 -m comment --comment "a canary, with spaces" -j MASQUERADE'))),
    ]


def test_policies_chains_of_ones_own_and_hostile_comments() -> None:
    found = facts.parse_table(captured("odd/iptables-save"), "filter")
    assert found.policies == {"INPUT": "ACCEPT", "FORWARD": "DROP", "OUTPUT": "ACCEPT", "MINE": "-"}
    comments = [group[3] for rule in found.rules for group in rule.match if group[:2] == ("-m", "comment")]
    assert comments == ["type filter hook {", 'it\'s a "q" back\\slash', "two\n-A FORWARD -j DROP", "", "!"]
    assert [rule.match[-1] for rule in found.rules] == [("-j", "MINE"), *[("-j", "ACCEPT")] * 4]


def test_counters_other_tables_and_the_backend_make_no_difference() -> None:
    found = facts.parse_table(captured("odd/iptables-save"), "filter")
    assert facts.parse_table(captured("odd/iptables-save-counters"), "filter") == found
    assert facts.parse_table(captured("odd/iptables-save-all"), "filter") == found
    legacy = facts.parse_table(captured("odd/iptables-legacy-save"), "filter")
    assert legacy.rules == found.rules[2:3]


def test_one_table_of_many() -> None:
    text = captured("odd/iptables-save-all")
    assert [rule.chain for rule in facts.parse_table(text, "nat").rules] == ["POSTROUTING"]
    assert facts.parse_table(text, "mangle") == facts.parse_table("", "nat") == Table()


@pytest.mark.parametrize("name", ["odd/nft-ruleset", "odd/nft-chains"])
def test_base_chains_of_the_family_ip(name: str) -> None:
    bases = {("nat", "POSTROUTING"), ("filter", "FORWARD"), ("t3", "base")}
    expected = bases | {("empty", ""), ("filter", "*"), ("t3", "*"), ("own", "*")}
    assert facts.parse_chains(captured(name)) == expected


# fmt: off
LEADS = {
    "by the bridge": ("172.168.1.11 dev br0 src 172.168.1.1 uid 0 \n    cache \n", "br0"),
    "by the bridge, old": ("172.168.1.11 dev br0 src 172.168.1.1 \n    cache \n", "br0"),
    "by a gateway": ("114.114.114.114 via 172.168.1.9 dev br0 src 172.168.1.1 uid 0 \n    cache \n", "br0"),
    "to itself": ("local 172.168.1.1 dev lo src 172.168.1.1 uid 0 \n    cache <local> \n", "lo"),
    "to all": ("broadcast 172.168.1.255 dev br0 src 172.168.1.1 uid 0 \n    cache <local,brd> \n", "br0"),
    "by no card: the tool says it on stderr": ("", ""),
}
# fmt: on


@pytest.mark.parametrize(("text", "card"), LEADS.values(), ids=LEADS)
def test_by_which_card_the_kernel_would_send(text: str, card: str) -> None:
    assert facts.parse_route_get(text) == card


# --- any text --------------------------------------------------------------------------------------------------------

SOURCES = sorted(path for path in DATA.rglob("*.txt"))
ANY_LINE = st.text() | st.sampled_from(sorted({line for path in SOURCES for line in path.read_text().split("\n")}))


@st.composite
def broken_outputs(draw: st.DrawFn) -> str:
    """Lines of every tool, cut and glued anywhere, with anything in between."""
    lines = draw(st.lists(st.tuples(ANY_LINE, st.integers(0, 80), st.integers(0, 400)), max_size=6))
    return draw(st.sampled_from(["\n", "", " "])).join(line[start:end] for line, start, end in lines)


@given(broken_outputs(), broken_outputs())
def test_no_text_makes_a_parser_fail(text: str, other: str) -> None:
    facts.parse_stack(text)
    facts.parse_namespaces(other, text)
    facts.parse_namespaces("\n".join(["c", other]), "9 1 0:4 / /run/netns/c rw - nsfs nsfs rw\n" + text)
    facts.parse_listeners(text)
    facts.parse_sysctl(text)
    facts.parse_table("*nat\n" + text, "nat")
    facts.parse_chains("table ip nat {\n" + text)
