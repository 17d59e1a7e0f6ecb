"""Every step by itself, in one living sandbox full of strangers' things: applied, found again, proved, taken back."""

from __future__ import annotations

import pytest

from tests.kernel.oldtools import OLD
from tests.kernel.runner import Netlab
from tests.kernel.tutorial import NEEDS, SEEN, STAYS, STEPS, operations, until

pytestmark = pytest.mark.kernel

MEASURED = False

CANARIES = {
    "a namespace with all its own": """
        ip netns add stranger
        ip -n stranger link set lo up
        ip -n stranger link add twig type bridge
        ip -n stranger addr add 203.0.113.1/25 dev twig
        ip netns exec stranger iptables -A INPUT -s 203.0.113.7 -j DROP
        ip netns exec stranger sysctl -q net.ipv4.ip_forward=1
    """,
    "a bridge with a port": """
        ip link add br9 type bridge
        ip link add cable type veth peer name elsewhere netns stranger
        ip link set cable master br9
        ip link set cable up
        ip link set br9 up alias 'not ours'
    """,
    "addresses": """
        ip addr add 203.0.113.129/25 dev br9
        ip addr add 192.0.2.77/32 dev ens33
        ip addr add 2001:db8::7/64 dev br9 nodad
    """,
    "routes, a rule for them, a neighbour": """
        ip route add 198.51.100.0/24 via 192.168.0.2
        ip route add default via 203.0.113.130 dev br9 table 77
        ip rule add from 203.0.113.128/25 table 77
        ip neigh add 203.0.113.131 lladdr 02:00:00:00:00:99 dev br9 nud permanent
    """,
    "sysctls": """
        sysctl -q net.ipv4.ip_default_ttl=77
        sysctl -q net.ipv4.conf.br9.rp_filter=2
        sysctl -q net.ipv4.conf.br9.forwarding=1
        sysctl -q net.ipv4.conf.ens33.accept_redirects=0
    """,
    "a policy that apply has to change": "iptables -P FORWARD DROP",
    "rules, much like ours": """
        iptables -A FORWARD -i br9 -j ACCEPT
        iptables -t nat -A POSTROUTING -s 172.168.1.0/24 -o br9 -j MASQUERADE
        iptables -t nat -A POSTROUTING -s 172.168.1.0/25 -o ens33 -d 203.0.113.9 -j MASQUERADE
        iptables -t nat -A PREROUTING -p udp --dport 8888 -j DNAT --to-destination 172.168.1.11:80
        iptables -t nat -A PREROUTING -p tcp --dport 8887 -m comment --comment 'a canary' -j DNAT --to 172.168.1.11:80
    """,
    "chains": """
        iptables -N STRANGER
        iptables -A STRANGER -j RETURN
        iptables -A INPUT -j STRANGER
        iptables -t nat -N EMPTY
        ip6tables -A INPUT -s 2001:db8::9 -j DROP
    """,
    "nftables": """
        nft add table inet canary
        nft 'add chain inet canary input { type filter hook input priority 5; policy accept; }'
        nft add rule inet canary input tcp dport 9 drop
    """,
    "a socket that listens": """
        python3 -m http.server 8080 --bind 203.0.113.129 >/dev/null 2>&1 &
        until ss -ltn | grep -q :8080; do sleep 0.02; done
    """,
}
if OLD:
    del CANARIES["nftables"]

OPENED = "policy ACCEPT on FORWARD of filter"
"""A stranger had closed it; a lab of our own has it open from the start."""


@pytest.mark.parametrize("step", STEPS)
def test_apply_again_prove_undo(lab: Netlab, step: str) -> None:
    steps = until(step)
    applied = lab("apply", "--until", step, "--json")
    assert sorted(applied.ran) == sorted([*operations(*steps), *[OPENED] * ("forwarding" in steps)])
    assert {each["step"] for each in applied.proofs} == set(steps)
    assert [each for each in applied.proofs if not each["ok"]] == []

    again = lab("apply", "--until", step, "--json")
    assert (again.ran, again.proofs) == ([], [])
    assert {(each["step"], each["changed"]) for each in again.events if each["event"] == "done"} == {
        (each, 0) for each in steps
    }

    proved = lab.json("prove", step)["proofs"]
    assert {(each["step"], each["ok"]) for each in proved} == {(step, True)}

    undone = lab.undo()
    kept = [each for each in undone.events if each["event"] == "kept"]
    assert [(each["operation"].partition("-m ")[2], each["why"]) for each in kept] == [
        ("http.server 8080 --bind 203.0.113.129", "netlab did not start it")
    ]


def test_the_whole_course_can_be_proved_at_any_time(lab: Netlab) -> None:
    lab.apply()
    assert lab.states() == dict.fromkeys(STEPS, "done")
    proofs = lab.json("prove")["proofs"]
    assert len(proofs) == len([*SEEN, STAYS])
    assert [each for each in proofs if not each["ok"]] == []
    lab.undo()


def test_until_nat_takes_eight_steps(lab: Netlab) -> None:
    lab.apply("--until", "nat")
    absent = {"loopback", "web", "publish"}
    assert lab.states() == {step: "todo" if step in absent else "done" for step in STEPS}
    lab.undo()


@pytest.mark.parametrize("step", ["loopback", "bridge", "forwarding", "web"])
def test_undo_from_a_step_takes_what_depends_on_it(lab: Netlab, step: str) -> None:
    going = {step}
    for name in STEPS:
        going |= {name} if going & set(NEEDS[name]) else set()
    lab.apply()
    assert lab.undo("--from", step).events[0]["steps"] == [each for each in reversed(STEPS) if each in going]
    assert lab.states() == {each: "todo" if each in going else "done" for each in STEPS}
    assert sorted(lab.apply().ran) == sorted([*operations(*going), *[OPENED] * ("forwarding" in going)])
    lab.undo()


def test_undo_twice(lab: Netlab) -> None:
    lab.apply("--until", "forwarding")
    assert lab.undo().ran
    assert lab.undo().ran == []
