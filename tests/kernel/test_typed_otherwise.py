"""Typed in another order, wrongly, or spoiled afterwards: netlab says what is there, what is missing, and mends it."""

from __future__ import annotations

import pytest

from tests.kernel.oldtools import unused
from tests.kernel.runner import Netlab
from tests.kernel.test_typed import SERVER, states, stop_servers, typed
from tests.kernel.tutorial import SEEN, STAYS, STEPS, TUTORIAL, Line, operations, until

pytestmark = pytest.mark.kernel

MEASURED = False


def of(*steps: str) -> list[Line]:
    """The tutorial's lines of these steps, step after step in the order given."""
    return [line for step in steps for line in TUTORIAL if line.step == step]


def without(*parts: str) -> list[Line]:
    """The whole tutorial but for the lines with these words in them."""
    return [line for line in TUTORIAL if not any(part in line.typed for part in parts)]


def twice(step: str) -> list[Line]:
    return [line for line in TUTORIAL for _ in range(1 + (line.step == step))]


ORDERS = {
    "the bridge first": of("bridge")[:2] + of("namespaces", "veth"),
    "the packet filter and the switches first": of("nat", "publish", "forwarding"),
    "backwards, where that works": [*reversed(of("forwarding", "nat", "publish"))],
    "the second container only": [
        line
        for line in of("namespaces", "veth", "addresses", "loopback")
        if "container2" in line.typed or "veth2" in line.typed
    ],
    "what nat needs, without loopback": [
        line for line in TUTORIAL if line.step not in ("loopback", "web", "publish")
    ],
    "all but the kernel's own route and the policy": without("route add -net", "--policy", SERVER),
    "the rules typed twice": twice("nat")[: -len(of("web", "publish"))],
}  # fmt: skip


@pytest.mark.parametrize("lines", ORDERS.values(), ids=ORDERS)
def test_another_order(lab: Netlab, lines: list[Line]) -> None:
    held = [line.operation for line in lines if line.operation]
    typed(lab, lines)
    assert lab.states() == states(held)
    applied = lab.apply("--until", "nat")
    assert sorted(applied.ran) == sorted(each for each in operations(*until("nat")) if each not in held)
    lab.undo()


def test_all_of_it_is_found_and_proved(lab: Netlab) -> None:
    typed(lab, TUTORIAL)
    assert lab.states() == dict.fromkeys(STEPS, "done")
    applied = lab("apply", "--json")
    assert (applied.ran, applied.proofs) == ([], [])
    proofs = lab.json("prove")["proofs"]
    assert [each for each in proofs if not each["ok"]] == []
    assert len(proofs) == len([*SEEN, STAYS])
    stop_servers(lab)
    lab.undo()


def test_a_server_typed_by_hand_is_never_stopped(lab: Netlab) -> None:
    typed(lab, without("8888", "9999"))
    lab.apply()
    kept = [each for each in lab.undo().events if each["event"] == "kept"]
    assert sum("http.server 80" in each["operation"] for each in kept) == 2
    # Each still listens, in the namespace that has lost its name and lives on with it.
    assert lab.type("pgrep -fc '^[^ ]*python3 -m http.server 80$'") == "2\n"
    stop_servers(lab)


# --- slips -----------------------------------------------------------------------------------------------------------

SLIPS = {
    "a wrong prefix length": (
        "addresses",
        ["ip netns exec container1 ip addr add 172.168.1.11/16 dev eth1"],
        ["address 172.168.1.11/24 on eth1 in container1 (eth1 has 172.168.1.11/16, the step wants /24)"],
    ),
    "the pair is made, its end not yet moved": (
        "veth",
        ["ip link add veth1 type veth peer name eth1"],
        ["veth pair veth1 and eth1 in container1 (eth1 is still on the lab host, the step wants it in container1)"],
    ),
    "plugged into another bridge": (
        "bridge",
        ["ip link add br7 type bridge", "ip link set veth1 master br7"],
        ["veth1 a port of br0 (veth1 is a port of br7)"],
    ),
    "a default route by another way": (
        "routes",
        ["ip netns exec container1 ip route add default dev eth1 metric 7"],
        ["route to default via 172.168.1.1 by eth1 in container1 (the route to default goes by eth1)"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("step", "slip", "missing"), SLIPS.values(), ids=SLIPS)
def test_a_slip_is_named_and_taken_back(lab: Netlab, step: str, slip: list[str], missing: list[str]) -> None:
    before = [line for line in TUTORIAL if STEPS.index(line.step) < STEPS.index(step) and line.step != "loopback"]
    typed(lab, before)
    lab.type(*slip)
    rest = [line for line in of(step) if line.operation and line.operation not in missing[0]]
    if step == "veth":
        rest = of("veth")[2:]
    typed(lab, [line for line in rest if "route add -net" not in line.typed])
    assert lab.missing()[step] == missing
    lab.apply("--until", step)
    assert lab.states()[step] == "done"
    lab.undo()
    if step == "bridge":
        assert lab.type("ip -br link show type bridge | cut -d' ' -f1") == "br7\n"  # belongs to no operation: it stays
        lab.type("ip link del br7")


def test_what_blocks_is_a_conflict(lab: Netlab) -> None:
    lab.type("ip link add br0 type veth peer name other")
    done = lab.run("apply", "--until", "bridge")
    assert done.code == 4
    assert "step 'bridge': something that netlab did not make is in the way" in done.err
    assert "br0 is there already: a veth" in done.err
    lab.undo()


# --- drift -----------------------------------------------------------------------------------------------------------

DRIFTS = {
    "a cable cut": (
        ["ip link del veth1"],
        {
            "veth": ["veth pair veth1 and eth1 in container1"],
            "addresses": ["address 172.168.1.11/24 on eth1 in container1", "eth1 in container1 up", "veth1 up"],
            "bridge": ["veth1 a port of br0"],
            "routes": ["route to default via 172.168.1.1 by eth1 in container1"],
            "web": [],
        },
    ),
    "a chain flushed": (
        ["iptables -t nat -F POSTROUTING"],
        {"nat": ["rule nat POSTROUTING -s 172.168.1.0/24 -o ens33 -j MASQUERADE"]},
    ),
    "forwarding switched off": (
        ["sysctl -q net.ipv4.ip_forward=0"],
        {"forwarding": ["sysctl net.ipv4.ip_forward = 1 (net.ipv4.ip_forward is 0)"]},
    ),
    "the bridge gone": (
        ["ip link del br0"],
        {
            "bridge": ["bridge br0", "br0 up", "veth1 a port of br0", "veth2 a port of br0"],
            "gateway": ["address 172.168.1.1/24 on br0"],
            "routes": ["route to 172.168.1.0/24 by br0"],
            "web": [],
        },
    ),
    "a card down": (["ip link set veth2 down"], {"addresses": ["veth2 up (veth2 is down)"], "web": []}),
    "a server killed": (
        ["kill $(ip netns pids container2)", "while [ -n \"$(ip netns pids container2)\" ]; do sleep 0.02; done"],
        {"web": ["server on port 80 in container2"]},
    ),
}  # fmt: skip


@pytest.fixture
def standing(lab: Netlab) -> Netlab:
    lab.apply()
    return lab


@pytest.mark.parametrize(("spoil", "missing"), DRIFTS.values(), ids=DRIFTS)
def test_drift_is_named_and_repaired(standing: Netlab, spoil: list[str], missing: dict[str, list[str]]) -> None:
    standing.type(*spoil)
    found = standing.missing()
    # A server that cannot be reached does not hold either, whatever else is wrong.
    assert {step: found[step] for step in missing if missing[step]} == {
        step: lines for step, lines in missing.items() if lines
    }
    assert found.keys() <= missing.keys()
    assert standing.states() == {step: "drifted" if step in found else "done" for step in STEPS}
    standing.apply()
    assert standing.states() == dict.fromkeys(STEPS, "done")
    assert [each for each in standing.json("prove")["proofs"] if not each["ok"]] == []
    standing.undo()


def test_a_policy_that_a_stranger_sets_meanwhile_is_opened_and_set_back(standing: Netlab) -> None:
    standing.type("iptables -P FORWARD DROP")
    assert standing.missing() == {"forwarding": ["policy ACCEPT on FORWARD of filter (the policy of FORWARD is DROP)"]}
    assert standing.apply().ran == ["policy ACCEPT on FORWARD of filter"]
    standing.undo()
    assert standing.type("iptables -S FORWARD") == "-P FORWARD DROP\n"
    standing.type("iptables -P FORWARD ACCEPT", unused("filter"))
