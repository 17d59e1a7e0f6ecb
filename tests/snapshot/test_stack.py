"""Addresses, routes, rules, neighbours, listeners and sysctls as the tools print them, and what of that is masked."""

from pathlib import Path

import pytest

from netlab.snapshot import stack as normal
from netlab.snapshot.links import Link, links

DATA = Path(__file__).parents[1] / "data"


@pytest.mark.parametrize("tools", ["el7", "debian12"])
def test_addresses(tools: str) -> None:
    cards = links((DATA / tools / "link-details.txt").read_text(), "")
    found = normal.addresses((DATA / tools / "addr.txt").read_text(), cards)
    assert [line.removesuffix(" lo") for line in found] == [
        "172.168.1.1/24 on br0 scope global",
        "192.168.0.10/24 on ens33 scope global",
        "127.0.0.1/8 on lo scope host",
        "::1/128 on lo scope host",
    ]


def address(line: str, mode: str = "eui64") -> list[str]:
    card = Link(2, "eth0", "", "", "", "", "", eui64=mode == "eui64")
    return normal.addresses(f"2: eth0    {line}", [card])


FOREVER = r"\       valid_lft forever preferred_lft forever"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            f"inet 10.0.0.1/24 brd 10.0.0.255 scope global eth0{FOREVER}",
            "10.0.0.1/24 on eth0 brd 10.0.0.255 scope global",
        ),
        (
            f"inet 10.0.0.1/24 scope global secondary eth0:1{FOREVER}",
            "10.0.0.1/24 on eth0 scope global secondary eth0:1",
        ),
        (
            f"inet 10.0.0.1 peer 10.0.0.2/32 scope global eth0{FOREVER}",
            "10.0.0.1 on eth0 peer 10.0.0.2/32 scope global",
        ),
        (f"inet6 2001:db8::1/64 scope global tentative {FOREVER}", "2001:db8::1/64 on eth0 scope global"),
        (f"inet6 2001:db8::1/64 scope global dadfailed tentative {FOREVER}", "2001:db8::1/64 on eth0 scope global"),
        (f"inet6 fe80::1/64 scope link {FOREVER}", "fe80::1/64 on eth0 scope link"),  # typed by somebody
        (
            r"inet 10.0.0.9/24 scope global dynamic eth0\       valid_lft 86390sec preferred_lft 86390sec",
            "10.0.0.9/24 on eth0 scope global dynamic eth0 valid_lft limited preferred_lft limited",
        ),
        (
            r"inet6 2001:db8::9/64 scope global deprecated \       valid_lft forever preferred_lft 0sec",
            "2001:db8::9/64 on eth0 scope global deprecated valid_lft forever preferred_lft 0sec",
        ),
    ],
)
def test_one_address(line: str, said: str) -> None:
    assert address(line) == [said]


@pytest.mark.parametrize("cidr", ["fe80::3ca7:60ff:fe24:c0e5/64", "fe80::44ff:fe00:1/64", "fe80::c:8ff:fe1d:a49/64"])
def test_link_local_addresses_that_follow_the_mac(cidr: str) -> None:
    assert address(f"inet6 {cidr} scope link {FOREVER}") == []


def test_a_random_link_local_address_where_the_card_makes_such() -> None:
    line = f"inet6 fe80::1234:5678:9abc:def0/64 scope link {FOREVER}"
    assert address(line, "random") == []
    assert address(line) == ["fe80::1234:5678:9abc:def0/64 on eth0 scope link"]


def test_the_order_of_a_cards_ipv4_addresses_means_something() -> None:
    lines = [f"2: eth0    inet 10.0.{i}.1/24 scope global eth0{FOREVER}" for i in (1, 2)]
    assert normal.addresses("\n".join(lines), []) != normal.addresses("\n".join(reversed(lines)), [])
    newer = [line.replace("inet 10.0.", "inet6 2001:db8:").replace(".1/24", "::1/64") for line in lines]
    assert normal.addresses("\n".join(newer), []) == normal.addresses("\n".join(reversed(newer)), [])


@pytest.mark.parametrize("tools", ["el7", "debian12"])
def test_routes_keep_the_order_of_the_lookup(tools: str) -> None:
    text = (DATA / tools / "route.txt").read_text()
    shown = [line.strip() for line in text.splitlines() if line[0].isdigit() or line.startswith("default")]
    assert normal.routes("\n".join(shown), []) == shown
    assert "172.168.1.0/24 dev br0 proto kernel scope link src 172.168.1.1" in shown


@pytest.mark.parametrize(
    "line",
    [
        "fe80::/64 dev eth0 proto kernel metric 256 pref medium",
        "fe80::/64 dev eth0 proto kernel metric 256 ",
        "multicast ff00::/8 dev eth0 table local proto kernel metric 256 pref medium",
        "ff00::/8 dev eth0 table local metric 256 pref medium",
        "local fe80::3ca7:60ff:fe24:c0e5 dev eth0 table local proto kernel metric 0 pref medium",
        "local fe80::3ca7:60ff:fe24:c0e5 dev lo table local proto none metric 0 ",
        "anycast fe80:: dev eth0 table local proto kernel metric 0 pref medium",
    ],
)
def test_routes_that_come_with_a_link_local_address(line: str) -> None:
    assert normal.routes(line, []) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("default via 10.0.0.2 dev eth0 linkdown ", "default via 10.0.0.2 dev eth0"),
        ("default via fe80::1 dev eth0 proto ra metric 100 expires 1796sec pref medium", None),
        ("fe80::/64 dev eth0 metric 1024 pref medium", "fe80::/64 dev eth0 metric 1024 pref medium"),
        ("local fe80::1 dev eth0 table local proto kernel metric 0 pref medium", None),
        (r"10.9.0.0/24 \ nexthop via 10.0.0.7 dev a weight 1 \ nexthop via 10.0.0.8 dev b weight 1", None),
        ("unreachable fe80::/64 dev lo metric 1024", "unreachable fe80::/64 dev lo metric 1024"),
        ("blackhole 10.7.0.0/16 table 100 ", "blackhole 10.7.0.0/16 table 100"),
    ],
)
def test_one_route(line: str, said: str | None) -> None:
    expected = said or " ".join(line.replace("\\", " ").split()).replace(" expires 1796sec", "")
    assert normal.routes(line, []) == [expected]


def test_a_batch_of_routes_and_rules_is_told_apart() -> None:
    routes = ["2001:db8::/64 dev eth0", "default via 2001:db8::1 dev eth0 table 7"]
    text = "\n".join([*routes, "0:\tfrom all lookup local", "9:\tfrom all to 1::/64 lookup 7"])
    assert normal.routes(text, []) == routes
    assert normal.rules(text) == ["0: from all lookup local", "9: from all to 1::/64 lookup 7"]


def test_a_batch_of_addresses_and_neighbours_is_told_apart() -> None:
    neighbours = [f"{address} dev eth0 lladdr 02:00:00:00:00:01 PERMANENT" for address in ("10.0.0.6", "2001:db8::5")]
    text = "\n".join([f"2: eth0    inet 10.0.0.1/24 scope global eth0{FOREVER}", *neighbours])
    assert normal.neighbours(text) == neighbours
    assert normal.addresses(text, []) == ["10.0.0.1/24 on eth0 scope global"]


SS_NEW = """\
Netid State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess
udp   UNCONN 213    0            0.0.0.0:68        0.0.0.0:*
tcp   LISTEN 1      5            0.0.0.0:80        0.0.0.0:*
tcp   LISTEN 0      4096   127.0.0.53%lo:53        0.0.0.0:*
udp   UNCONN 0      0      [fe80::dc30:bdff:fe6c:8b28]%eth0:546  [::]:*
"""
SS_OLD = """\
Netid State      Recv-Q Send-Q Local Address:Port               Peer Address:Port
tcp   LISTEN     0      5            *:80                       *:*
"""


def test_listeners() -> None:
    assert normal.listeners(SS_NEW) == [
        "tcp 0.0.0.0:80",
        "tcp 127.0.0.53%lo:53",
        "udp 0.0.0.0:68",
        "udp [fe80::*]%eth0:546",
    ]
    assert normal.listeners(SS_OLD) == ["tcp *:80"]
    assert normal.listeners("") == []


def test_sysctls() -> None:
    text = (
        "/proc/sys/net/ipv4/tcp_rmem:4096\t131072\t6291456\n"
        "/proc/sys/net/ipv4/conf/eth0.100/forwarding:1\n"
        "/proc/sys/net/ipv4/ip_local_reserved_ports:\n"
        "/proc/sys/net/netfilter/nf_conntrack_count:17\n"
    )
    assert normal.sysctls(text) == {
        "net.ipv4.conf.eth0/100.forwarding": "1",
        "net.ipv4.ip_local_reserved_ports": "",
        "net.ipv4.tcp_rmem": "4096 131072 6291456",
    }


@pytest.mark.parametrize(
    ("name", "card"),
    [
        ("net.ipv4.conf.eth0/100.forwarding", "eth0.100"),
        ("net.ipv6.neigh.veth1.delay_first_probe_time", "veth1"),
        ("net.ipv4.conf.all.forwarding", ""),
        ("net.ipv4.ip_forward", ""),
        ("net.netfilter.nf_conntrack_max", ""),
    ],
)
def test_whose_setting_it_is(name: str, card: str) -> None:
    assert normal.link_of(name) == card
