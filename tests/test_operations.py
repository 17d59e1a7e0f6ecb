"""Facts in, commands out, for every kind of operation: whether it holds, what makes it true, what takes it back."""

# ruff: noqa: E501 — a row of a table is a line

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import FrozenInstanceError, replace
from typing import Any, NamedTuple

import pytest

from netlab.facts import parse_stack, parse_table
from netlab.model import Facts, Listener, Namespaces, Operation, Query, Stack
from netlab.operations import KINDS, address, bridge, namespace, policy, port, route, rule, service, sysctl, up, veth

# --- facts, as the tools print them ----------------------------------------------------------------------------------


def stack(*lines: str) -> Stack:
    """From short lines: "eth1@if3 veth up master=br0 peer=7", "eth1 10.0.0.1/24", "default via 10.0.0.1 dev eth1"."""
    text = []
    for number, line in enumerate(lines, 2):
        words = line.split()
        if words[0] == "default" or "dev" in words:
            text.append(line)
        elif len(words) > 1 and "/" in words[1]:
            text.append(
                f"{number}: {words[0]}    inet{'6' if ':' in words[1] else ''} {words[1]} scope global {words[0]}"
            )
        else:
            text.append(_link(number, words))
    return parse_stack("\n".join(text))


def _link(number: int, words: list[str]) -> str:
    options = dict(word.split("=") for word in words if "=" in word)
    index = options.get("index", str(number))
    flags = "BROADCAST,UP" if "up" in words else "BROADCAST"
    kind = next((word for word in words[1:] if word in ("veth", "bridge", "tun")), "")
    kind = f"\\    {kind} " if kind else ""
    ether = "loopback" if words[0] == "lo" else "ether"
    master = f" master {options['master']}" if "master" in options else ""
    return f"{index}: {words[0]}: <{flags}> mtu 1500{master} group default\\    link/{ether} 02:00:00:00:00:01 {kind}"


NO_STACK = Stack(exists=False)


def facts(answers: Mapping[tuple[str, ...], Any]) -> Facts:
    """Answers by (kind, namespace, key); what is not given is as in an empty lab."""
    return Facts({Query(*key): value for key, value in answers.items()})  # type: ignore[arg-type]


def host(*lines: str, **others: Stack) -> Facts:
    """The lab host's stack, and other namespaces' by name."""
    named: dict[tuple[str, ...], Any] = {("stack", name): each for name, each in others.items()}
    spaces = Namespaces(frozenset(name for name, each in others.items() if each.exists))
    return facts({("namespaces",): spaces, ("stack",): stack(*lines), **named})


def inside(*lines: str) -> Facts:
    """The container c's stack."""
    return host(c=stack(*lines))


def tables(table: str, text: str = "", chains: Iterable[str] = ()) -> Facts:
    """An iptables table as iptables-save prints it, and the base chains that nftables really has."""
    saved = f"*{table}\n{text}\nCOMMIT\n" if text else ""
    return facts(
        {("iptables", "", table): parse_table(saved, table), ("chains",): frozenset((table, each) for each in chains)}
    )


def settings(**values: str) -> Facts:
    """Sysctls under net.ipv4; asked with a pattern or without."""
    names = {f"net.ipv4.{key.replace('__', '.')}": value for key, value in values.items()}
    forward, redirects = "net.ipv4.ip_forward", "net.ipv4.conf.all.accept_redirects"
    return facts({
        ("sysctl", "", forward): {key: value for key, value in names.items() if key == forward},
        ("sysctl", "", redirects): {key: value for key, value in names.items() if key == redirects},
        ("sysctl", "", "net.ipv4.conf.*.forwarding"): {key: value for key, value in names.items() if key.endswith(".forwarding")},
    })  # fmt: skip


def server(*, listens: bool = False, status: int = 0, pid: int = 0, stranded: int = 0) -> Facts:
    """``stranded`` is its pid where its namespace has lost its name."""
    listeners = frozenset({Listener("0.0.0.0", 80)} if listens else ())
    pids: dict[tuple[str, ...], int] = {("service", "", "c-80"): pid or stranded, ("service", "c", "c-80"): pid}
    return facts({("listeners", "c"): listeners, ("fetch", "", URL): status, **pids})


URL = "http://10.0.0.1/"


class Case(NamedTuple):
    """An operation, what the kernel shows, whether it holds then; the commands that make it true (when it does not),
    what is found in its place and whether that blocks it, and in a sandbox the commands that clear it away."""

    operation: Operation
    facts: Facts
    holds: bool
    apply: list[str] = []  # noqa: RUF012 a table's default is never changed
    found: str = ""
    blocked: bool = False
    clear: list[str] = []  # noqa: RUF012


VETH = veth("v", "e", "c")
ADDRESS = address("10.0.0.1/24", "e", "c")
DEFAULT = route("default", "e", via="10.0.0.254", netns="c")
SUBNET = route("10.0.0.0/24", "br", if_missing=True)
NAT = rule("nat", "POSTROUTING", "-s", "10.0.0.0/24", "-j", "MASQUERADE")
OPEN = policy("filter", "FORWARD", "ACCEPT")
FORWARD = sysctl("net.ipv4.ip_forward", "1")
WEB = service("c", ("python3", "-m", "http.server", "80"), 80, URL, "<h1>c</h1>")

ADD_VETH = ["ip link add v type veth peer name e netns c"]
ADD_ADDRESS = ["ip netns exec c ip addr add 10.0.0.1/24 dev e"]
ADD_DEFAULT = ["ip netns exec c ip route add default via 10.0.0.254 dev e"]
ADD_NAT = ["iptables -w -t nat -A POSTROUTING -s 10.0.0.0/24 -j MASQUERADE"]
START = ["ip netns exec c python3 -m http.server 80"]

# fmt: off
CASES: dict[str, Case] = {
    "namespace: none": Case(namespace("c"), facts({("namespaces",): Namespaces()}), False, ["ip netns add c"]),
    "namespace: there": Case(namespace("c"), facts({("namespaces",): Namespaces(frozenset("c"))}), True),
    "namespace: another": Case(namespace("c"), facts({("namespaces",): Namespaces(frozenset({"cc"}))}), False, ["ip netns add c"]),
    "namespace: torn": Case(namespace("c"), facts({("namespaces",): Namespaces(frozenset(), frozenset("c"))}), False, ["ip netns del c", "ip netns add c"], "/run/netns/c is a plain file, left by an `ip netns add` that was cut short"),
    "veth: nothing": Case(VETH, host(c=stack("lo")), False, ADD_VETH),
    "veth: no namespace yet": Case(VETH, host(c=NO_STACK), False, ADD_VETH),
    "veth: there": Case(VETH, host("v@if2 veth index=7", c=stack("e@if7 veth")), True),
    "veth: down or up is another's affair": Case(VETH, host("v@if2 veth up index=7", c=stack("e@if7 veth up")), True),
    "veth: not yet moved": Case(VETH, host("v@e veth", "e@v veth", c=stack("lo")), False, ["ip link set e netns c"], "e is still on the lab host, the step wants it in c", False, ["ip link del v"]),
    "veth: two halves of two pairs": Case(VETH, host("v@if9 veth", c=stack("e@if8 veth")), False, ADD_VETH, "v is there already: a veth, but not this pair's", True, ["ip link del v"]),
    "veth: a real card has its name": Case(VETH, host("v", c=stack("lo")), False, ADD_VETH, "v is there already: a real card, but not this pair's", True, []),
    "veth: a bridge has its name": Case(VETH, host("v bridge", c=stack("lo")), False, ADD_VETH, "v is there already: a bridge, but not this pair's", True, ["ip link del v"]),
    "veth: the other end is taken": Case(VETH, host(c=stack("e bridge")), False, ADD_VETH, "e in c is there already: a bridge, but not this pair's", True, ["ip netns exec c ip link del e"]),
    "address: none": Case(ADDRESS, inside("e veth"), False, ADD_ADDRESS),
    "address: no card": Case(ADDRESS, inside("lo"), False, ADD_ADDRESS),
    "address: there": Case(ADDRESS, inside("e veth", "e 10.0.0.1/24"), True),
    "address: among others": Case(ADDRESS, inside("e veth", "e 10.0.0.9/24", "e fe80::1/64", "e 10.0.0.1/24"), True),
    "address: on another card": Case(ADDRESS, inside("e veth", "f veth", "f 10.0.0.1/24"), False, ADD_ADDRESS),
    "address: another prefix length": Case(ADDRESS, inside("e veth", "e 10.0.0.1/16"), False, ADD_ADDRESS, "e has 10.0.0.1/16, the step wants /24", False, ["ip netns exec c ip addr del 10.0.0.1/16 dev e"]),
    "address: one that ends alike": Case(address("0.0.1.1/24", "e", "c"), inside("e veth", "e 10.0.1.1/24"), False, ["ip netns exec c ip addr add 0.0.1.1/24 dev e"]),
    "address: both": Case(ADDRESS, inside("e veth", "e 10.0.0.1/16", "e 10.0.0.1/24"), True, clear=["ip netns exec c ip addr del 10.0.0.1/16 dev e"]),
    "bridge: none": Case(bridge("br"), host("lo"), False, ["ip link add br type bridge"]),
    "bridge: there": Case(bridge("br"), host("br bridge"), True),
    "bridge: a veth has its name": Case(bridge("br"), host("br@if2 veth"), False, ["ip link add br type bridge"], "br is there already: a veth", True, ["ip link del br"]),
    "bridge: a real card has its name": Case(bridge("br"), host("br"), False, ["ip link add br type bridge"], "br is there already: a real card", True, []),
    "port: no": Case(port("v", "br"), host("v veth", "br bridge"), False, ["ip link set v master br"]),
    "port: no card": Case(port("v", "br"), host("br bridge"), False, ["ip link set v master br"]),
    "port: yes": Case(port("v", "br"), host("v veth master=br", "br bridge"), True),
    "port: of another": Case(port("v", "br"), host("v veth master=br9", "br bridge", "br9 bridge"), False, ["ip link set v master br"], "v is a port of br9"),
    "up: no": Case(up("e", "c"), inside("e veth"), False, ["ip netns exec c ip link set e up"], "e in c is down"),
    "up: yes": Case(up("e", "c"), inside("e veth up"), True),
    "up: no card": Case(up("e", "c"), inside("lo up"), False, ["ip netns exec c ip link set e up"]),
    "route: none": Case(DEFAULT, inside("e veth"), False, ADD_DEFAULT),
    "route: there": Case(DEFAULT, inside("e veth", "default via 10.0.0.254 dev e"), True),
    "route: there, twice": Case(DEFAULT, inside("default via 10.0.0.254 dev e", "default via 10.0.0.254 dev e metric 7"), True),
    "route: another way": Case(DEFAULT, inside("default via 10.0.0.9 dev e"), False, ADD_DEFAULT, "the route to default goes via 10.0.0.9 by e", True, ["ip netns exec c ip route del default via 10.0.0.9 dev e proto boot"]),
    "route: another way, with a metric": Case(DEFAULT, inside("default dev e metric 7"), False, ADD_DEFAULT, "the route to default goes by e", False, ["ip netns exec c ip route del default dev e proto boot metric 7"]),
    "route: the kernel's own": Case(SUBNET, host("br bridge", "10.0.0.0/24 dev br proto kernel scope link src 10.0.0.1"), True),
    "route: typed beside it": Case(SUBNET, host("10.0.0.0/24 dev br proto kernel scope link src 10.0.0.1", "10.0.0.0/24 dev br scope link"), True),
    "route: missing": Case(SUBNET, host("br bridge"), False, ["ip route add 10.0.0.0/24 dev br"]),
    "route: the kernel's, by another card": Case(SUBNET, host("10.0.0.0/24 dev ens33 proto kernel scope link src 10.0.0.9"), False, ["ip route add 10.0.0.0/24 dev br"], "the route to 10.0.0.0/24 goes by ens33", True, []),
    "rule: no table": Case(NAT, tables("nat"), False, ADD_NAT),
    "rule: there, as it is saved": Case(NAT, tables("nat", "-A POSTROUTING -s 10.0.0.0/24 -j MASQUERADE"), True),
    "rule: in another chain": Case(NAT, tables("nat", "-A PREROUTING -s 10.0.0.0/24 -j MASQUERADE"), False, ADD_NAT),
    "rule: a narrower one": Case(NAT, tables("nat", "-A POSTROUTING -s 10.0.0.0/25 -j MASQUERADE"), False, ADD_NAT),
    "rule: a longer one": Case(NAT, tables("nat", "-A POSTROUTING -s 10.0.0.0/24 -o ens33 -j MASQUERADE"), False, ADD_NAT),
    "rule: saved with what nobody typed": Case(rule("nat", "PREROUTING", "-p", "tcp", "--dport", "80", "-j", "DNAT", "--to-destination", "10.0.0.1:80"), tables("nat", "-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.1:80"), True),
    "policy: never used": Case(OPEN, tables("filter"), True),
    "policy: as it should be": Case(OPEN, tables("filter", ":FORWARD ACCEPT [0:0]"), True),
    "policy: closed": Case(OPEN, tables("filter", ":FORWARD DROP [1:84]"), False, ["iptables -w -t filter -P FORWARD ACCEPT"], "the policy of FORWARD is DROP"),
    "policy: another chain's": Case(OPEN, tables("filter", ":INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]"), True),
    "sysctl: off": Case(FORWARD, settings(ip_forward="0"), False, ["sysctl -w net.ipv4.ip_forward=1"], "net.ipv4.ip_forward is 0"),
    "sysctl: on": Case(FORWARD, settings(ip_forward="1"), True),
    "sysctl: not in this kernel": Case(FORWARD, settings(), False, ["sysctl -w net.ipv4.ip_forward=1"]),
    "service: nothing": Case(WEB, server(), False, START),
    "service: ours answers": Case(WEB, server(listens=True, status=200, pid=7), True),
    "service: ours is starting": Case(WEB, server(pid=7), False, ["ip neigh flush to 10.0.0.1"]),
    "service: ours in a namespace without a name": Case(WEB, server(stranded=7), False, ["kill -KILL 7", "ip neigh flush to 10.0.0.1", *START]),
    "service: a stranger's answers": Case(WEB, server(listens=True, status=200), True),
    "service: a stranger's does not": Case(WEB, server(listens=True, status=404), False, START, "something else listens on port 80 in c, and http://10.0.0.1/ does not answer 200", True),
    "service: ours cannot be reached": Case(WEB, server(listens=True, pid=7), False, ["ip neigh flush to 10.0.0.1"], "it listens, and the lab host gets no 200 from http://10.0.0.1/"),
    "service: another's page, nobody listens here": Case(WEB, server(status=200), False, START),
}
# fmt: on


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_holds_and_apply(case: Case) -> None:
    assert case.operation.holds(case.facts) == case.holds
    if not case.holds:
        assert [str(command) for command in case.operation.apply(case.facts)] == case.apply
        assert (case.operation.found(case.facts), case.operation.blocked(case.facts)) == (case.found, case.blocked)
    if case.clear or not case.holds:
        assert [str(command) for command in case.operation.clear(case.facts)] == case.clear


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_asks_for_nothing_that_it_did_not_declare(case: Case) -> None:
    """`facts` of the tables hold more than one operation's; each may only look at its own queries."""
    own = Facts({query: case.facts.answers[query] for query in case.operation.queries() if query in case.facts.answers})
    for method in (case.operation.holds, case.operation.found, case.operation.blocked, case.operation.apply, case.operation.before, case.operation.clear):  # fmt: skip
        method(own)


# --- taken back ------------------------------------------------------------------------------------------------------


class Undo(NamedTuple):
    """What was before, what is now, and the commands that lead back."""

    operation: Operation
    before: Facts
    now: Facts
    undo: list[str]


ALL = ("INPUT", "OUTPUT", "POSTROUTING", "PREROUTING")
SAVED = "-A POSTROUTING -s 10.0.0.0/24 -j MASQUERADE"
DELETE_NAT = "iptables -w -t nat -D POSTROUTING -s 10.0.0.0/24 -j MASQUERADE"
CHAIN_GONE = "iptables -w -t nat -X POSTROUTING"
TABLE_GONE = "nft delete table ip nat"
EMPTY = host(c=stack("lo"))

# fmt: off
UNDONE: dict[str, Undo] = {
    "namespace": Undo(namespace("c"), facts({("namespaces",): Namespaces()}), facts({("namespaces",): Namespaces(frozenset("c"))}), ["ip netns del c"]),
    "namespace: gone already": Undo(namespace("c"), facts({("namespaces",): Namespaces()}), facts({("namespaces",): Namespaces()}), []),
    "namespace: cut short": Undo(namespace("c"), facts({("namespaces",): Namespaces()}), facts({("namespaces",): Namespaces(frozenset(), frozenset("c"))}), ["ip netns del c"]),
    "veth": Undo(VETH, EMPTY, host("v@if2 veth index=7", c=stack("e@if7 veth")), ["ip link del v"]),
    "veth: only the far end is seen": Undo(VETH, EMPTY, host(c=stack("e@if7 veth")), ["ip netns exec c ip link del e"]),
    "veth: gone already": Undo(VETH, EMPTY, EMPTY, []),
    "veth: a real card took its name": Undo(VETH, EMPTY, host("v", c=stack("lo")), []),
    "address": Undo(ADDRESS, inside("e veth"), inside("e veth", "e 10.0.0.1/24"), ["ip netns exec c ip addr del 10.0.0.1/24 dev e"]),
    "address: gone already": Undo(ADDRESS, inside("e veth"), inside("e veth", "e 10.0.0.9/24"), []),
    "bridge": Undo(bridge("br"), EMPTY, host("br bridge"), ["ip link del br"]),
    "bridge: gone already": Undo(bridge("br"), EMPTY, host("br"), []),
    "port": Undo(port("v", "br"), host("v veth", "br bridge"), host("v veth master=br", "br bridge"), ["ip link set v nomaster"]),
    "port: back to where it was": Undo(port("v", "br"), host("v veth master=br9", "br9 bridge"), host("v veth master=br", "br bridge", "br9 bridge"), ["ip link set v master br9"]),
    "port: what it was in is gone": Undo(port("v", "br"), host("v veth master=br9", "br9 bridge"), host("v veth master=br", "br bridge"), ["ip link set v nomaster"]),
    "port: the card is gone": Undo(port("v", "br"), host("v veth"), host("br bridge"), []),
    "up": Undo(up("e", "c"), inside("e veth"), inside("e veth up"), ["ip netns exec c ip link set e down"]),
    "up: down already": Undo(up("e", "c"), inside("e veth"), inside("e veth"), []),
    "up: the card is gone": Undo(up("e", "c"), inside("e veth"), inside("lo"), []),
    "up lo: with the address that the kernel added": Undo(up("lo", "c"), inside("lo"), inside("lo up", "lo 127.0.0.1/8", "lo ::1/128"), ["ip netns exec c ip link set lo down", "ip netns exec c ip addr del 127.0.0.1/8 dev lo"]),
    "up lo: a stranger's address stays": Undo(up("lo", "c"), inside("lo", "lo 10.9.9.9/32"), inside("lo up", "lo 10.9.9.9/32", "lo 127.0.0.1/8"), ["ip netns exec c ip link set lo down", "ip netns exec c ip addr del 127.0.0.1/8 dev lo"]),
    "route": Undo(DEFAULT, inside("e veth"), inside("default via 10.0.0.254 dev e"), ["ip netns exec c ip route del default via 10.0.0.254 dev e proto boot"]),
    "route: gone already": Undo(DEFAULT, inside("e veth"), inside("default dev f"), []),
    "route: the kernel's own stays": Undo(SUBNET, host("br bridge"), host("10.0.0.0/24 dev br proto kernel scope link", "10.0.0.0/24 dev br scope link"), ["ip route del 10.0.0.0/24 dev br proto boot"]),
    "rule: first the rule": Undo(NAT, tables("nat"), tables("nat", SAVED, ["POSTROUTING"]), [DELETE_NAT]),
    "rule: then the chain that nft made for it": Undo(NAT, tables("nat"), tables("nat", ":POSTROUTING ACCEPT [0:0]", ["POSTROUTING"]), [CHAIN_GONE]),
    "rule: then the table": Undo(NAT, tables("nat"), tables("nat", "", [""]), [TABLE_GONE]),
    "rule: an equal one of a stranger's": Undo(NAT, tables("nat"), tables("nat", f"{SAVED}\n{SAVED}", ["POSTROUTING"]), [DELETE_NAT]),
    "rule: a stranger's rule keeps the chain": Undo(NAT, tables("nat"), tables("nat", "-A POSTROUTING -j ACCEPT", ["POSTROUTING"]), []),
    "rule: a stranger's policy keeps the chain": Undo(NAT, tables("nat"), tables("nat", ":POSTROUTING DROP [0:0]", ["POSTROUTING"]), []),
    "rule: a stranger's chain keeps the table": Undo(NAT, tables("nat"), tables("nat", ":MINE - [0:0]", ["*"]), []),
    "rule: other chains are not ours": Undo(NAT, tables("nat"), tables("nat", ":INPUT ACCEPT [0:0]", ["INPUT"]), []),
    "rule: a table that was there stays": Undo(NAT, tables("nat", "", [""]), tables("nat", "", [""]), []),
    "rule: chains that were there stay": Undo(NAT, tables("nat", ":POSTROUTING ACCEPT [0:0]", ALL), tables("nat", SAVED, ALL), [DELETE_NAT]),
    "rule: of two equal ones, one goes": Undo(NAT, tables("nat", SAVED, ALL), tables("nat", f"{SAVED}\n{SAVED}", ALL), [DELETE_NAT]),
    "rule: the one that was there stays": Undo(NAT, tables("nat", SAVED, ALL), tables("nat", SAVED, ALL), []),
    "rule: legacy has no such chains": Undo(NAT, tables("nat"), tables("nat", f":POSTROUTING ACCEPT [0:0]\n{SAVED}"), [DELETE_NAT]),
    "policy: to what it was": Undo(OPEN, tables("filter", ":FORWARD DROP [0:0]", ("FORWARD",)), tables("filter", ":FORWARD ACCEPT [0:0]", ("FORWARD",)), ["iptables -w -t filter -P FORWARD DROP"]),
    "policy: as it was": Undo(OPEN, tables("filter", ":FORWARD DROP [0:0]", ("FORWARD",)), tables("filter", ":FORWARD DROP [0:0]", ("FORWARD",)), []),
    "sysctl": Undo(FORWARD, settings(ip_forward="0"), settings(ip_forward="1"), ["sysctl -w net.ipv4.ip_forward=0"]),
    "sysctl: it was on": Undo(FORWARD, settings(ip_forward="1"), settings(ip_forward="1"), []),
    "sysctl: what the kernel changes along with it": Undo(
        FORWARD,
        settings(ip_forward="0", conf__all__forwarding="0", conf__eth0__forwarding="1", conf__eth1__forwarding="0", conf__all__accept_redirects="1"),
        settings(ip_forward="1", conf__all__forwarding="1", conf__eth0__forwarding="1", conf__eth1__forwarding="1", conf__all__accept_redirects="0"),
        ["sysctl -w net.ipv4.ip_forward=0", "sysctl -w net.ipv4.conf.eth0.forwarding=1", "sysctl -w net.ipv4.conf.all.accept_redirects=1"],
    ),
    "sysctl: set back by hand, without what goes along": Undo(
        FORWARD,
        settings(ip_forward="0", conf__eth0__forwarding="1", conf__all__accept_redirects="1"),
        settings(ip_forward="0", conf__eth0__forwarding="0", conf__all__accept_redirects="1"),
        ["sysctl -w net.ipv4.conf.eth0.forwarding=1"],
    ),
    "sysctl: a card that is gone meanwhile": Undo(FORWARD, settings(ip_forward="0", conf__eth9__forwarding="1"), settings(ip_forward="1"), ["sysctl -w net.ipv4.ip_forward=0"]),
    "service: ours": Undo(WEB, server(), server(listens=True, status=200, pid=7), ["kill -KILL 7"]),
    "service: a stranger's": Undo(WEB, server(), server(listens=True, status=200), []),
    "service: gone already": Undo(WEB, server(), server(), []),
}
# fmt: on


@pytest.mark.parametrize("case", UNDONE.values(), ids=UNDONE)
def test_undo(case: Undo) -> None:
    before = json.loads(json.dumps(case.operation.before(case.before)))  # as the journal keeps it
    assert [str(command) for command in case.operation.undo(case.now, before)] == case.undo


@pytest.mark.parametrize("case", UNDONE.values(), ids=UNDONE)
def test_undo_of_what_is_as_before_runs_nothing(case: Undo) -> None:
    if case.operation.holds(case.before):
        return  # apply would not have touched it
    before = json.loads(json.dumps(case.operation.before(case.before)))
    assert case.operation.undo(case.before, before) == ()


# --- typed by hand ---------------------------------------------------------------------------------------------------

# fmt: off
TYPED: dict[str, tuple[Operation, Facts, Facts, bool]] = {
    "it was not there at first": (ADDRESS, inside("e veth"), inside("e veth", "e 10.0.0.1/24"), True),
    "it was there at first": (ADDRESS, inside("e veth", "e 10.0.0.1/24"), inside("e veth", "e 10.0.0.1/24"), False),
    "it is not there": (ADDRESS, inside("e veth"), inside("e veth"), False),
    "a policy that a stranger closed": (OPEN, tables("filter"), tables("filter", ":FORWARD DROP [0:0]", ["FORWARD"]), False),
    "a policy typed as it was": (OPEN, tables("filter"), tables("filter", ":FORWARD ACCEPT [0:0]", ["FORWARD"]), True),
    "a policy that nobody typed": (OPEN, tables("filter"), tables("filter"), False),
    "a server is never taken for ours": (WEB, server(), server(listens=True, status=200), False),
}
# fmt: on


@pytest.mark.parametrize(("operation", "first", "now", "typed"), TYPED.values(), ids=TYPED)
def test_typed(operation: Operation, first: Facts, now: Facts, typed: bool) -> None:
    assert operation.typed(now, first) == typed


# --- words -----------------------------------------------------------------------------------------------------------

WORDS: dict[str, tuple[Operation, bool, set[tuple[str, ...]], set[tuple[str, ...]]]] = {
    "network namespace c": (namespace("c"), False, {("netns", "c")}, set()),
    "veth pair v and e in c": (VETH, False, {("link", "", "v"), ("link", "c", "e")}, set()),
    "veth pair v in c and e in r": (veth("v", "e", "r", "c"), False, {("link", "c", "v"), ("link", "r", "e")}, {("netns", "c")}),
    "address 10.0.0.1/24 on e in c": (ADDRESS, False, set(), {("netns", "c"), ("link", "c", "e")}),
    "address 10.0.0.1/24 on br": (address("10.0.0.1/24", "br"), False, set(), {("link", "", "br")}),
    "bridge br": (bridge("br"), False, {("link", "", "br")}, set()),
    "v a port of br": (port("v", "br"), False, set(), {("link", "", "v"), ("link", "", "br")}),
    "lo in c up": (up("lo", "c"), False, set(), {("link", "c", "lo"), ("netns", "c")}),
    "route to default via 10.0.0.254 by e in c": (DEFAULT, False, set(), {("link", "c", "e"), ("netns", "c")}),
    "route to 10.0.0.0/24 by br": (SUBNET, True, set(), {("link", "", "br")}),
    "rule nat POSTROUTING -s 10.0.0.0/24 -j MASQUERADE": (NAT, False, set(), set()),
    "policy ACCEPT on FORWARD of filter": (OPEN, True, set(), set()),
    "policy DROP on FORWARD of filter": (policy("filter", "FORWARD", "DROP"), False, set(), set()),
    "sysctl net.ipv4.ip_forward = 1": (FORWARD, False, set(), set()),
    "server on port 80 in c": (WEB, False, set(), set()),
}  # fmt: skip


@pytest.mark.parametrize(
    ("words", "operation", "given", "makes", "within"), [(words, *case) for words, case in WORDS.items()], ids=WORDS
)
def test_words(
    words: str, operation: Operation, given: bool, makes: set[tuple[str, ...]], within: set[tuple[str, ...]]
) -> None:
    assert (str(operation), operation.given) == (words, given)
    assert (set(operation.makes), set(operation.within)) == (makes, within)


def test_every_kind_is_in_these_tables() -> None:
    for operations in ([case.operation for case in CASES.values()], [case.operation for case in UNDONE.values()]):
        assert {each.kind for each in operations} == KINDS.keys()
    for operation in (case.operation for case in CASES.values()):
        with pytest.raises(FrozenInstanceError):
            operation.netns = "other"  # type: ignore[attr-defined]


# --- undo that was cut short -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "taking", "now", "goes"),
    [
        (0, 1, 1, True),  # the command never ran
        (0, 1, 0, False),
        (0, 2, 2, True),
        (0, 2, 1, False),  # ours went, and the one that is left is a stranger's
        (1, 2, 2, True),
        (1, 2, 1, False),
        (0, 2, 3, True),  # another stranger came meanwhile
    ],
)
def test_which_of_equal_rules_went(before: int, taking: int, now: int, goes: bool) -> None:
    def with_copies(count: int) -> Facts:
        return tables("nat", "\n".join([SAVED] * count), ["POSTROUTING"])

    was = NAT.taking(with_copies(taking), NAT.before(with_copies(before)))
    assert (DELETE_NAT in [str(each) for each in NAT.undo(with_copies(now), was)]) == goes
    assert NAT.taking(with_copies(now), was)["taking"] == max(now, taking)


# --- identity --------------------------------------------------------------------------------------------------------

IDENTITIES = {
    "a namespace": (namespace("c"), lambda index: facts({("namespaces",): Namespaces(frozenset("c"), born={"c": index})})),
    "a bridge": (bridge("br0"), lambda index: host(f"br0 bridge index={index}")),
    "a pair": (veth("veth1", "eth1", "c"), lambda index: host(f"veth1@if7 veth index={index}", c=NO_STACK)),
    "a pair whose near end was renamed": (veth("veth1", "eth1", "c"), lambda index: host("lo", c=stack(f"eth1@if{index} veth"))),
}  # fmt: skip


@pytest.mark.parametrize(("operation", "there"), IDENTITIES.values(), ids=IDENTITIES)
def test_another_one_of_the_same_name_is_another_one(operation: Operation, there: Callable[[str], Facts]) -> None:
    assert operation.identity(there("3")) == operation.identity(there("3")) != operation.identity(there("4"))


def test_what_is_not_there_has_no_identity() -> None:
    nothing = host("lo", c=NO_STACK)
    for operation in (namespace("c"), bridge("br0"), veth("veth1", "eth1", "c")):
        assert operation.identity(nothing) == ""


def test_a_far_end_of_that_index_in_another_namespace() -> None:
    """An index is known by its namespace only: container2's card 2 is not container1's."""
    pair = veth("veth1", "eth1", "c")
    near, far = "veth1@if2 veth index=5", stack("eth1@if5 veth index=2")
    elsewhere = host(near, c=far)
    assert pair.holds(elsewhere)
    link = replace(elsewhere.stack("").links["veth1"], peer_netns="d")
    moved = Facts({**elsewhere.answers, Query("stack"): Stack({"veth1": link})})
    assert not pair.holds(moved)
