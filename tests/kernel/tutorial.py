"""The tutorial: what the post types and what it observes, and what netlab plans for it. The tables that hold the course."""

# ruff: noqa: E501 — a row of a table is a line

from __future__ import annotations

from typing import NamedTuple


class Line(NamedTuple):
    """``operation`` is what this line completes, in netlab's words; "" for the first half of something."""

    step: str
    typed: str
    operation: str


# fmt: off
TUTORIAL = (
    Line("namespaces", "ip netns add container1", "network namespace container1"),
    Line("namespaces", "ip netns add container2", "network namespace container2"),
    Line("veth", "ip link add veth1 type veth peer name eth1", ""),
    Line("veth", "ip link set eth1 netns container1", "veth pair veth1 and eth1 in container1"),
    Line("veth", "ip link add veth2 type veth peer name eth2", ""),
    Line("veth", "ip link set eth2 netns container2", "veth pair veth2 and eth2 in container2"),
    Line("addresses", "ip netns exec container1 ip addr add 172.168.1.11/24 dev eth1", "address 172.168.1.11/24 on eth1 in container1"),
    Line("addresses", "ip netns exec container1 ip link set eth1 up", "eth1 in container1 up"),
    Line("addresses", "ip netns exec container2 ip addr add 172.168.1.12/24 dev eth2", "address 172.168.1.12/24 on eth2 in container2"),
    Line("addresses", "ip netns exec container2 ip link set eth2 up", "eth2 in container2 up"),
    Line("addresses", "ip link set veth1 up", "veth1 up"),
    Line("addresses", "ip link set veth2 up", "veth2 up"),
    Line("loopback", "ip netns exec container1 ip link set lo up", "lo in container1 up"),
    Line("loopback", "ip netns exec container2 ip link set lo up", "lo in container2 up"),
    Line("bridge", "ip link add br0 type bridge", "bridge br0"),
    Line("bridge", "ip link set br0 up", "br0 up"),
    Line("bridge", "ip link set veth1 master br0", "veth1 a port of br0"),
    Line("bridge", "ip link set veth2 master br0", "veth2 a port of br0"),
    Line("gateway", "ip addr add 172.168.1.1/24 dev br0", "address 172.168.1.1/24 on br0"),
    Line("routes", "route add -net 172.168.1.0/24 dev br0", ""),  # the kernel's own route is there already
    Line("routes", "ip netns exec container1 ip route add default via 172.168.1.1 dev eth1", "route to default via 172.168.1.1 by eth1 in container1"),
    Line("routes", "ip netns exec container2 ip route add default via 172.168.1.1 dev eth2", "route to default via 172.168.1.1 by eth2 in container2"),
    Line("forwarding", "sysctl net.ipv4.ip_forward=1", "sysctl net.ipv4.ip_forward = 1"),
    Line("forwarding", "iptables -t filter --policy FORWARD ACCEPT", ""),  # it is ACCEPT already
    Line("nat", "iptables -t nat -A POSTROUTING -s 172.168.1.0/24 -o ens33 -j MASQUERADE", "rule nat POSTROUTING -s 172.168.1.0/24 -o ens33 -j MASQUERADE"),
    Line("web", "ip netns exec container1 python3 -m http.server 80", "server on port 80 in container1"),
    Line("web", "ip netns exec container2 python3 -m http.server 80", "server on port 80 in container2"),
    Line("publish", "iptables -t nat -A PREROUTING -p tcp --dport 8888 -j DNAT --to-destination 172.168.1.11:80", "rule nat PREROUTING -p tcp --dport 8888 -j DNAT --to-destination 172.168.1.11:80"),
    Line("publish", "iptables -t nat -A PREROUTING -p tcp --dport 9999 -j DNAT --to- 172.168.1.12:80", "rule nat PREROUTING -p tcp --dport 9999 -j DNAT --to-destination 172.168.1.12:80"),
)
# fmt: on

STEPS = tuple(dict.fromkeys(line.step for line in TUTORIAL))

OPERATIONS = tuple((line.step, line.operation) for line in TUTORIAL if line.operation)
"""What is there when all is done, in order; beside the two that a lab has by itself."""

NEEDS = {
    "namespaces": (),
    "veth": ("namespaces",),
    "addresses": ("veth",),
    "loopback": ("addresses",),
    "bridge": ("addresses",),
    "gateway": ("bridge",),
    "routes": ("gateway",),
    "forwarding": ("routes",),
    "nat": ("forwarding",),
    "web": ("gateway",),
    "publish": ("web", "forwarding"),
}


def until(step: str) -> list[str]:
    """The step and all that it needs, in reading order."""
    wanted = {step}
    for name in reversed(STEPS):
        if name in wanted:
            wanted.update(NEEDS[name])
    return [name for name in STEPS if name in wanted]


def operations(*steps: str) -> list[str]:
    """What these steps make true, in order."""
    return [operation for step, operation in OPERATIONS if step in steps]


# --- what netlab plans -----------------------------------------------------------------------------------------------

# fmt: off
PLAN: dict[str, list[str]] = {
    "namespaces": ["ip netns add container1", "ip netns add container2"],
    "veth": [
        "ip link add veth1 type veth peer name eth1 netns container1",
        "ip link add veth2 type veth peer name eth2 netns container2",
    ],
    "addresses": [
        "ip netns exec container1 ip addr add 172.168.1.11/24 dev eth1",
        "ip netns exec container1 ip link set eth1 up",
        "ip netns exec container2 ip addr add 172.168.1.12/24 dev eth2",
        "ip netns exec container2 ip link set eth2 up",
        "ip link set veth1 up",
        "ip link set veth2 up",
    ],
    "loopback": ["ip netns exec container1 ip link set lo up", "ip netns exec container2 ip link set lo up"],
    "bridge": [
        "ip link add br0 type bridge",
        "ip link set br0 up",
        "ip link set veth1 master br0",
        "ip link set veth2 master br0",
    ],
    "gateway": ["ip addr add 172.168.1.1/24 dev br0"],
    "routes": [
        "ip netns exec container1 ip route add default via 172.168.1.1 dev eth1",
        "ip netns exec container2 ip route add default via 172.168.1.1 dev eth2",
    ],
    "forwarding": ["sysctl -w net.ipv4.ip_forward=1"],
    "nat": ["iptables -w -t nat -A POSTROUTING -s 172.168.1.0/24 -o ens33 -j MASQUERADE"],
    "web": ["ip netns exec container1 python3 -m http.server 80", "ip netns exec container2 python3 -m http.server 80"],
    "publish": [
        "iptables -w -t nat -A PREROUTING -p tcp --dport 8888 -j DNAT --to-destination 172.168.1.11:80",
        "iptables -w -t nat -A PREROUTING -p tcp --dport 9999 -j DNAT --to-destination 172.168.1.12:80",
    ],
}
# fmt: on
ONLY_IF_MISSING = {"routes": ["ip route add 172.168.1.0/24 dev br0"]}
"""The kernel adds it by itself, with the bridge's address. The policy that an empty lab has is not even in question."""

TREE = """
namespaces
└─ veth
   └─ addresses
      ├─ loopback
      └─ bridge
         └─ gateway
            ├─ routes
            │  └─ forwarding
            │     └─ nat
            └─ web
               └─ publish
"""

# --- what is seen ----------------------------------------------------------------------------------------------------


class Row(NamedTuple):
    """What is seen, as patterns. After undo it is as before."""

    step: str
    probe: str
    before: str
    after: str


ANSWERS = r"64 bytes from {}: icmp_seq=1 ttl=\d+ time=\S+ ms"
SILENT = r"no reply|From \S+ icmp_seq=1 Destination Host Unreachable"


# fmt: off
SEEN = [
    Row("namespaces", "`ip addr` in container1", r"no such namespace", r"shows lo"),
    Row("veth", "`ip link` in container1", r"no eth1: shows lo", r"eth1, a veth, its other end veth1, index \d+"),
    Row("addresses", "`ip addr` in container1", r"shows eth1, lo", r"shows eth1, lo, 172\.168\.1\.11/24(, fe80::\S+)?"),
    Row("loopback", "container1 pings 172.168.1.11", SILENT, ANSWERS.format("172.168.1.11")),
    Row("bridge", "container1 pings 172.168.1.12", SILENT, ANSWERS.format("172.168.1.12")),
    Row("gateway", "container1 pings 172.168.1.1", SILENT, ANSWERS.format("172.168.1.1")),
    Row("gateway", "host pings 172.168.1.11", r"From 192\.168\.0\.2 icmp_seq=1 Destination Net Unreachable", ANSWERS.format("172.168.1.11")),
    Row("routes", "container1 pings 192.168.0.10", r"(connect: )?Network is unreachable", ANSWERS.format("192.168.0.10")),
    Row("forwarding", "container1 pings 192.168.0.2 while ens33 is watched", r"no such request on ens33", r".* IP 172\.168\.1\.11 > 192\.168\.0\.2: ICMP echo request.*"),
    Row("nat", "container1 pings 192.168.0.2", r"no reply", ANSWERS.format("192.168.0.2")),
    Row("nat", "container1 pings 192.168.0.2 while ens33 is watched", r".* IP 172\.168\.1\.11 > 192\.168\.0\.2: ICMP echo request.*", r".* IP 192\.168\.0\.10 > 192\.168\.0\.2: ICMP echo request.*"),
    Row("nat", "container1 pings 114.114.114.114", r"no reply", ANSWERS.format("114.114.114.114")),
    Row("nat", "container1 pings 114.114.114.114 while ens33 is watched", r".* IP 172\.168\.1\.11 > 114\.114\.114\.114: ICMP echo request.*", r".* IP 192\.168\.0\.10 > 114\.114\.114\.114: ICMP echo request.*"),
    Row("web", "host fetches http://172.168.1.11/", r"refused", r"200"),
    Row("web", "host fetches http://172.168.1.12/", r"refused", r"200"),
    Row("publish", "client fetches http://192.168.0.10:8888/", r"refused", r"200"),
    Row("publish", "client fetches http://192.168.0.10:9999/", r"refused", r"200"),
]
# fmt: on

STAYS = ("publish", "host connects to http://192.168.0.10:8888/", "refused")
"""What must not change, and is no proof."""
