"""The real kernel's normal form: equal while nothing is changed, different and named for every kind of change.

Everything happens in namespaces of our own, held by one process that ends with the test. A lab is shared by the tests
of one kind of user: each takes its own snapshots before and after, and touches things that no other test touches.
"""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence

import pytest

from netlab.model import Command, Result
from netlab.programs import PATH, program
from netlab.snapshot import Snapshot, compare, dump, load, take
from tests.kernel.oldtools import NO_NFT, OLD

pytestmark = pytest.mark.kernel

# The first process in there: runs what it is asked to, side by side, until its standard input ends.
AGENT = """
import concurrent.futures, json, subprocess, sys

def run(job):
    argv, netns = job
    enter = ["nsenter", f"--net=/run/netns/{netns}", "--"] if netns else []
    try:
        done = subprocess.run([*enter, *argv], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    except subprocess.TimeoutExpired as error:
        return -9, "", str(error)
    return done.returncode, done.stdout, done.stderr

with concurrent.futures.ThreadPoolExecutor(4) as pool:
    for line in sys.stdin:
        print(json.dumps(list(pool.map(run, json.loads(line)))), flush=True)
"""

SURROUNDINGS = """
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
mount -t sysfs sysfs /sys
mkdir /run/netns
exec "$0" -c "$1"
"""

BASE = """
ip link set lo up
ip link add br0 type bridge
ip link set br0 up
ip address add 172.168.1.1/24 dev br0
for i in 1 2; do
  ip netns add container$i
  ip link add veth$i up master br0 type veth peer name eth$i netns container$i
  ip -n container$i address add 172.168.1.1$i/24 dev eth$i
  ip -n container$i link set eth$i up
  ip -n container$i route add default via 172.168.1.1
done
ip link add spare type bridge
ip link set spare up
ip link add loose1 type veth peer name loose2
ip link add calm1 type veth peer name calm2
sysctl -q -w net.ipv4.ip_forward=1
iptables-nft -t nat -A POSTROUTING -s 172.168.1.0/24 ! -o br0 -j MASQUERADE
nft add table inet old
mkdir /run/empty
cd /run/empty
nsenter --net=/run/netns/container1 python3 -m http.server 80 >/dev/null 2>&1 &
until nsenter --net=/run/netns/container1 ss -ltn | grep -q :80; do sleep 0.02; done
"""


def _as_named_here(script: str) -> str:
    """Before 1.8 there is one iptables, and it is the legacy one; nothing knows nftables."""
    return re.sub("tables-(nft|legacy)", "tables", script.replace("nft add table inet old\n", "")) if OLD else script


class Lab:
    """A lab host in private namespaces, with two containers on a bridge and a web server in the first."""

    def __init__(self, who: str) -> None:
        root = os.getuid() == 0
        become = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"] if root and who == "user" else []
        mapped = ["--user", "--map-current-user", "--keep-caps"] if who == "user" else []
        spaces = ["--net", "--mount", "--pid", "--fork", "--kill-child"]
        shell = ["sh", "-ec", SURROUNDINGS, program("python3"), AGENT]
        self._process = subprocess.Popen(
            [*become, "unshare", *mapped, *spaces, *shell],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": PATH, "LC_ALL": "C"},
            cwd="/",
        )
        self.type(BASE)

    def run(self, commands: Sequence[Command]) -> list[Result]:
        """A ``netlab.model.Runner``."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([[command.argv, command.netns] for command in commands]) + "\n")
        self._process.stdin.flush()
        return [Result(*each) for each in json.loads(self._process.stdout.readline())]

    def type(self, script: str) -> None:
        [result] = self.run([Command(("sh", "-ec", _as_named_here(script)))])
        assert result.code == 0, result.stderr

    def snapshot(self) -> Snapshot:
        [names] = self.run([Command(("ls", "/run/netns"))])
        return take(self.run, names.stdout.split())

    def end(self) -> None:
        self._process.communicate()
        assert self._process.returncode == 0


@pytest.fixture(scope="module", params=["root", "user"])
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    if request.param == "root" and os.getuid() != 0:
        pytest.skip("the root half: started as an ordinary user")
    lab = Lab(request.param)
    yield lab
    lab.end()


def container1(script: str) -> str:
    return f"nsenter --net=/run/netns/container1 sh -ec {shlex.quote(script)}"


def listen(kind: str, port: int) -> str:
    code = f"""
import socket, time
one = socket.socket(socket.AF_INET, socket.{kind})
one.bind(("0.0.0.0", {port}))
if one.type == socket.SOCK_STREAM:
    one.listen()
time.sleep(600)
"""
    wait = f"until ss -ltnu | grep -q :{port}; do sleep 0.02; done"
    return f"python3 -c {shlex.quote(code)} >/dev/null 2>&1 &\n{wait}"


SAME = {
    "nothing": "true",
    "traffic for three seconds": """
        nsenter --net=/run/netns/container1 ping -q -c 16 -i 0.2 172.168.1.12 >/dev/null &
        curl -sf http://172.168.1.11/ >/dev/null
        nsenter --net=/run/netns/container2 curl -sf http://172.168.1.11/ >/dev/null
        nsenter --net=/run/netns/container2 ping -c 1 -W 1 192.0.2.1 >/dev/null || true
        wait
    """,
    "somebody listens to the packets": """
        tcpdump -i br0 -n >/dev/null 2>/run/tcpdump &
        until grep -q listening /run/tcpdump; do sleep 0.02; done
    """,
    "everything made again in another order, with other MAC addresses and indexes": """
        ip link del veth1
        ip link del veth2
        ip link add filler type bridge
        for i in 2 1; do
          ip link add veth$i up master br0 type veth peer name eth$i netns container$i
          ip -n container$i address add 172.168.1.1$i/24 dev eth$i
          ip -n container$i link set eth$i up
          ip -n container$i route add default via 172.168.1.1
        done
        ip link del filler
    """,
    "a card up and down again": "ip link set calm1 up; ip link set calm1 down",
    "rules added and taken away": """
        iptables-nft -t nat -I POSTROUTING -j ACCEPT
        iptables-nft -t nat -D POSTROUTING -j ACCEPT
    """,
    "a table made again, after the others": "nft delete table inet old; nft add table inet old",
    "a legacy table that is only looked at": """
        iptables-legacy -t raw -S >/dev/null
        ip6tables-legacy -t raw -S >/dev/null
    """,
    "an IPv6 link-local address that settles": """
        ip link set calm2 up
        ip link set calm1 up
        until ip -6 address show dev calm1 | grep fe80 | grep -qv tentative; do sleep 0.1; done
        ip link set calm1 down
        ip link set calm2 down
    """,
}


def _skip_nft(script: str) -> None:
    if OLD and re.search(r"(?m)^ *nft ", script):
        pytest.skip(NO_NFT)


@pytest.mark.parametrize("script", SAME.values(), ids=SAME)
def test_same(lab: Lab, script: str) -> None:
    _skip_nft(script)
    before = lab.snapshot()
    lab.type(script)
    assert compare(load(dump(before)), lab.snapshot()) == ([], [])


CHANGES: dict[str, tuple[str, Sequence[str]]] = {
    "a card": ("ip link add br7 type bridge", ["host: link: + br7 bridge <BROADCAST,MULTICAST> mtu 1500"]),
    "a pair of cards across": (
        "ip link add out7 type veth peer name in7 netns container2",
        ["host: link: + out7 @in7 in container2 veth", "container2: link: + in7 @out7 in host veth"],
    ),
    "a card down": (
        "ip link set spare down",
        ["host: link spare: bridge <BROADCAST,MULTICAST,UP>", "host: link spare: 1500 "],
    ),
    "a flag": ("ip link set loose1 promisc on", ["host: link loose1: veth <BROADCAST,MULTICAST> → veth <BROADCAST,"]),
    "mtu": (
        "ip link set loose1 mtu 1400",
        ["host: link loose1: mtu 1500 → mtu 1400", "host: sysctl net.ipv6.conf.loose1.mtu: 1500 → 1400"],
    ),
    "an alias": (
        "ip link set loose1 alias a.name",
        ["host: link loose1: ff:ff:ff:ff:ff:ff → ff:ff:ff:ff:ff:ff alias a.name"],
    ),
    "a group": ("ip link set loose1 group 7", ["host: link loose1: group default → group 7"]),
    "a MAC address set by hand": (
        "ip link set loose1 address 02:00:00:00:00:77",
        ["host: link loose1: link/ether * → "],
    ),
    "a master": ("ip link set loose2 master br0", ["host: link loose2: ", "host: link details loose2: "]),
    "a bridge's option": (
        "ip link set br0 type bridge ageing_time 1000",
        ["host: link details br0: ageing_time 30000 → ageing_time 1000"],
    ),
    "an address": (
        container1("ip address add 172.168.1.99/24 dev eth1"),
        ["container1: address: + 172.168.1.99/24 on eth1", "container1: route: + local 172.168.1.99 dev eth1"],
    ),
    "an address gone": (
        "ip address del 127.0.0.1/8 dev lo",
        ["host: address: - 127.0.0.1/8 on lo", "host: route: - local 127.", "host: route: - broadcast 127."],
    ),
    "an IPv6 address": (
        "ip address add 2001:db8::1/64 dev br0 nodad",
        ["host: address: + 2001:db8::1/64 on br0", "host: route: + "],
    ),
    "a link-local address typed by hand": (
        "ip address add fe80::1/64 dev br0 nodad",
        ["host: address: + fe80::1/64 on br0", "host: route: + local fe80::1 dev br0"],
    ),
    "a route": (
        container1("ip route add 10.5.0.0/16 via 172.168.1.1"),
        ["container1: route: + 10.5.0.0/16 via 172.168.1.1 dev eth1"],
    ),
    "a route in another table": (
        "ip route add 10.6.0.0/16 via 172.168.1.11 table 100",
        ["host: route: + 10.6.0.0/16 via 172.168.1.11 dev br0 table 100"],
    ),
    "an IPv6 route": ("ip -6 route add blackhole 2001:db8:7::/48", ["host: route: + blackhole 2001:db8:7::/48"]),
    "a rule": ("ip rule add from 10.9.9.9 table 100 priority 70", ["host: rule: + 70: from 10.9.9.9 lookup 100"]),
    "an IPv6 rule": (
        "ip -6 rule add from 2001:db8::9 table 100 priority 71",
        ["host: rule: + -6 71: from 2001:db8::9"],
    ),
    "a permanent neighbour": (
        "ip neighbour add 172.168.1.77 lladdr 02:00:00:00:00:05 dev br0 nud permanent",
        ["host: neighbour: + 172.168.1.77 dev br0 lladdr 02:00:00:00:00:05 PERMANENT"],
    ),
    "an nftables rule": (
        "nft add chain inet old mine; nft add rule inet old mine counter drop",
        ["host: nft inet old: + chain mine", "host: nft inet old: + chain mine: counter drop"],
    ),
    "an empty nftables table": ("nft add table inet empty", ["host: nft inet empty: + (table)"]),
    "an iptables rule": (
        "iptables-nft -t nat -A POSTROUTING -s 10.1.0.0/16 -j ACCEPT",
        ["host: iptables nat: + -A POSTROUTING -s 10.1.0.0/16 -j ACCEPT", "host: nft ip nat: + chain POSTROUTING: "],
    ),
    "the order of rules": (
        """
        iptables-nft -t nat -D POSTROUTING -s 172.168.1.0/24 ! -o br0 -j MASQUERADE
        iptables-nft -t nat -I POSTROUTING -s 10.2.0.0/16 -j ACCEPT
        iptables-nft -t nat -A POSTROUTING -s 172.168.1.0/24 ! -o br0 -j MASQUERADE
        """,
        ["host: iptables nat: ", "host: nft ip nat: "],
    ),
    "a policy": (
        "iptables-nft -P FORWARD DROP",
        ["host: iptables filter: + :FORWARD DROP", "host: iptables filter: + :", "host: nft ip filter: + "],
    ),
    "a rule in a container": (
        container1("iptables-nft -A INPUT -j ACCEPT"),
        ["container1: iptables filter: + -A INPUT -j ACCEPT", "container1: iptables filter: + :", "container1: nft "],
    ),
    "an empty chain": (
        "iptables-nft -t raw -N mine",
        ["host: iptables raw: + :mine -", "host: iptables raw: + :", "host: nft ip raw: + "],
    ),
    "a legacy rule": (
        "iptables-legacy -t mangle -A OUTPUT -j ACCEPT",
        ["host: iptables-legacy mangle: + -A OUTPUT -j ACCEPT", "host: iptables-legacy mangle: + :"],
    ),
    "a legacy rule in a container": (
        container1("iptables-legacy -A INPUT -j ACCEPT"),
        ["container1: iptables-legacy filter: + -A INPUT -j ACCEPT", "container1: iptables-legacy filter: + :"],
    ),
    "a legacy policy": (
        "iptables-legacy -t security -P OUTPUT DROP",
        ["host: iptables-legacy security: + :OUTPUT DROP", "host: iptables-legacy security: + :"],
    ),
    "an IPv6 filter rule": (
        "ip6tables-nft -A INPUT -j ACCEPT",
        ["host: ip6tables filter: + -A INPUT -j ACCEPT", "host: ip6tables filter: + :", "host: nft ip6 filter: + "],
    ),
    "a legacy IPv6 filter rule": (
        "ip6tables-legacy -A INPUT -j ACCEPT",
        ["host: ip6tables-legacy filter: + -A INPUT -j ACCEPT", "host: ip6tables-legacy filter: + :"],
    ),
    "a sysctl": (
        "sysctl -q -w net.ipv4.conf.br0.rp_filter=2",
        ["host: sysctl net.ipv4.conf.br0.rp_filter: "],
    ),
    "a sysctl in a container": (
        container1("sysctl -q -w net.ipv4.ip_default_ttl=65"),
        ["container1: sysctl net.ipv4.ip_default_ttl: 64 → 65"],
    ),
    "a listener": (listen("SOCK_STREAM", 81), ["host: listener: + tcp 0.0.0.0:81"]),
    "a listener in a container, by UDP": (
        container1(listen("SOCK_DGRAM", 82)),
        ["container1: listener: + udp 0.0.0.0:82"],
    ),
    "a namespace": ("ip netns add late", ["host: namespace: + late live"]),
    "a torn namespace": (": >/run/netns/torn", ["host: namespace: + torn torn"]),
}  # fmt: skip


def _as_shown_here(said: Sequence[str]) -> Sequence[str]:
    if not OLD:
        return said
    legacy = [
        re.sub(r"(tables) |0\.0\.0\.0", lambda found: "tables-legacy " if found[1] else "*", line) for line in said
    ]
    return [line for line in legacy if not re.match("[a-z0-9]+: nft ", line)]


@pytest.mark.parametrize(("script", "said"), CHANGES.values(), ids=CHANGES)
def test_change(lab: Lab, script: str, said: Sequence[str]) -> None:
    _skip_nft(script)
    said = _as_shown_here(said)
    before = lab.snapshot()
    lab.type(script)
    differences = compare(before, lab.snapshot()).differences
    lines = [line for difference in differences for line in str(difference).splitlines()]
    needed = [start for start in said if not (OLD and start.endswith(": + :"))]  # another row may have used that table
    assert [start for start in needed if not any(line.startswith(start) for line in lines)] == []
    assert [line for line in lines if not line.startswith(tuple(said))] == []
