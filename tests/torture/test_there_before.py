"""On a machine, something of each name that the lab wants is there before: a conflict, or as it was after `undo`.

What has the name of a namespace, a bridge or a pair, and rules, a policy and a sysctl that equal ours, is in
tests/kernel/test_onhost.py; here is what else may be there, and `undo` of a lab that somebody has taken apart.
"""

# ruff: noqa: E501 — a row of a table is a line

from __future__ import annotations

import pytest

from tests.kernel.machine import CARD
from tests.kernel.runner import OnMachine
from tests.kernel.tutorial import STEPS

pytestmark = pytest.mark.kernel

MEASURED = False

THERE: dict[str, tuple[str, str]] = {
    "the gateway's address on another card": ("ip addr add 172.168.1.1/24 dev eth1", "ip addr del 172.168.1.1/24 dev eth1"),
    "a container's address on another card": ("ip addr add 172.168.1.11/32 dev eth1", "ip addr del 172.168.1.11/32 dev eth1"),
    "a route to the lab's network": ("ip route add 172.168.1.0/24 dev eth1", "ip route del 172.168.1.0/24 dev eth1"),
    "a chain of its own in nat, with a rule": (
        "iptables -t nat -N MINE; iptables -t nat -A MINE -j RETURN; iptables -t nat -A PREROUTING -j MINE",
        "nft delete table ip nat",
    ),
    "a rule that leads the port elsewhere": (
        "iptables -t nat -A PREROUTING -p tcp --dport 8888 -j DNAT --to-destination 192.168.56.7:80",
        "nft delete table ip nat",
    ),
    "a wider masquerade": (f"iptables -t nat -A POSTROUTING -o {CARD} -j MASQUERADE", "nft delete table ip nat"),
    "empty chains of nat": ("nft add table ip nat; nft 'add chain ip nat POSTROUTING { type nat hook postrouting priority 100 ; }'", "nft delete table ip nat"),
    "a table of nftables": ("nft add table inet mine; nft 'add chain inet mine c { type filter hook forward priority 0 ; }'", "nft delete table inet mine"),
    "redirects accepted nowhere": ("sysctl -q net.ipv4.conf.all.accept_redirects=0 net.ipv4.conf.eth1.forwarding=1", "sysctl -q net.ipv4.conf.all.accept_redirects=1 net.ipv4.conf.eth1.forwarding=0"),
    "a listener on a published port": (
        "python3 -c 'import socket, time; s = socket.create_server((\"\", 8888)); time.sleep(600)' >/dev/null 2>&1 & until ss -ltn | grep -q :8888; do sleep 0.05; done",
        "pkill -f '[s]ocket.create_server'; while ss -ltn | grep -q :8888; do sleep 0.05; done",
    ),
    "a card of another kind of a pair's name": ("ip link add veth2 type dummy || ip link add veth2 type bridge", "ip link del veth2"),
}  # fmt: skip


@pytest.mark.parametrize(("typed", "undone"), THERE.values(), ids=THERE)
def test_it_is_a_conflict_or_left_as_it_was(host: OnMachine, typed: str, undone: str) -> None:
    host.given(typed, undone=undone)
    done = host.run("apply", "--no-prove")
    assert done.code in (0, 1, 4), str(done)
    assert done.code == 0 or "→" in done.err, str(done)
    host.undo()
    assert host.differences(host.start) == []


# --- taken apart by hand ---------------------------------------------------------------------------------------------

APART = {
    "a namespace": "ip netns del container1",
    "both namespaces, and their servers": "for n in 1 2; do ip netns pids container$n | xargs kill; ip netns del container$n; done",
    "a pair": "ip link del veth2",
    "an address": "ip -n container1 addr del 172.168.1.11/24 dev eth1",
    "a loopback": "ip -n container1 link set lo down; ip -n container1 addr flush dev lo",
    "the bridge": "ip link del br0",
    "the gateway's address": "ip addr del 172.168.1.1/24 dev br0",
    "a route": "ip -n container2 route del default",
    "forwarding": "sysctl -q net.ipv4.ip_forward=0",
    "the masquerade": f"iptables -t nat -D POSTROUTING -s 172.168.1.0/24 -o {CARD} -j MASQUERADE",
    "all of nat": "nft delete table ip nat",
    "a server": "kill -9 $(ip netns pids container1)",
    "a server that hangs": "kill -STOP $(ip netns pids container1)",
    "a card that has another name now": "ip link set veth1 down; ip link set veth1 name other1",
    "a pair's far end on the host": "ip -n container1 link set eth1 name far1; ip -n container1 link set far1 netns 1",
}  # fmt: skip


@pytest.mark.parametrize("typed", APART.values(), ids=APART)
@pytest.mark.parametrize("then", ["undo", pytest.param("apply, undo", marks=pytest.mark.torture)])
def test_undo_of_what_somebody_took_apart(host: OnMachine, typed: str, then: str) -> None:
    host.apply()
    host.type(typed)
    if then != "undo":
        done = host.run("apply", "--no-prove", "--json")
        assert done.code in (0, 1, 4), str(done)
        assert done.code == 0 or "does not hold" in done.err or "in the way" in done.err
        if done.code == 0:
            assert host.states() == dict.fromkeys(STEPS, "done")
    host.undo()
    assert host.left() == []
    assert host.undo().ran == []
    assert host.differences(host.start) == []


# --- its own record --------------------------------------------------------------------------------------------------

JOURNAL = "/run/netlab/host/journal.jsonl"


def test_the_journal_torn_at_every_byte_of_its_last_line(host: OnMachine) -> None:
    """Its last line tells what came of a command, or what is about to run: without it, undo takes back as well."""
    host.apply("--until", "gateway")
    whole = host.type(f"cat {JOURNAL}")
    last = whole.rstrip("\n").rpartition("\n")[2]
    assert len(last) > 10
    for cut in [*range(0, len(last), 7), len(last)]:
        host.type(f"head -c {len(whole.encode()) - 1 - cut} {JOURNAL} >{JOURNAL}.new", f"mv {JOURNAL}.new {JOURNAL}")
        host("status")
        host.undo()
        assert host.left() == []
        assert host.differences(host.start) == []
        host.apply("--until", "gateway")
    host.undo()
