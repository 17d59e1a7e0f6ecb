"""On a machine, somebody else works beside netlab: what is not netlab's stays, whatever happens to netlab."""

from __future__ import annotations

import pytest

from tests.kernel.machine import CARD
from tests.kernel.runner import OnMachine
from tests.kernel.tutorial import STEPS
from tests.torture.faults import Faults

pytestmark = pytest.mark.kernel

MEASURED = False

RULE = f"POSTROUTING -s 172.168.1.0/24 -o {CARD} -j MASQUERADE"


@pytest.mark.parametrize("when", ["before", "after"])
def test_undo_killed_beside_an_equal_rule(host_faults: Faults, when: str) -> None:
    """Whether ours is gone already is not to be told from the rules: one of two equal ones is there, either way."""
    lab = host_faults.lab
    lab.apply("--until", "nat")
    lab.type(f"iptables -t nat -A {RULE}")
    host_faults.plan()
    lab.run("undo", "--wait", "0")
    number = next(each.number for each in host_faults.calls if f"-D {RULE}" in each.words)
    lab.type(f"iptables -t nat -D {RULE}", "iptables -t nat -X POSTROUTING", "nft delete table ip nat")

    lab.apply("--until", "nat")
    lab.type(f"iptables -t nat -A {RULE}")
    host_faults.plan(at=number, what=when)
    with host_faults.running("undo") as undo:
        assert undo.stopped()
        undo.kill()
        assert undo.wait().code in (-9, 137)
        undo.go("kill")
    host_faults.plan()
    lab.undo()
    assert lab.type("iptables -t nat -S").count(f"-A {RULE}") == 1
    lab.type(f"iptables -t nat -D {RULE}", "iptables -t nat -X POSTROUTING", "nft delete table ip nat")


REMADE = {
    "a namespace": (
        "ip netns pids container1 | xargs -r kill; ip netns del container1; "
        "while [ -e /sys/class/net/veth1 ]; do sleep 0.02; done; ip netns add container1; "
        "ip -n container1 link add eth1 type bridge; ip -n container1 addr add 172.168.1.11/24 dev eth1; "
        "ip -n container1 link set lo up",
        "ip netns del container1",
        "network namespace container1",
    ),
    "a bridge": (
        "ip link del br0; ip link add br0 type bridge; ip addr add 172.168.1.1/24 dev br0; ip link set br0 up",
        "ip link del br0",
        "bridge br0",
    ),
    "a pair": (
        "ip link del veth1; ip link add veth1 type veth peer name other1; ip link set veth1 up",
        "ip link del veth1",
        "veth1",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("remade", "undone", "named"), REMADE.values(), ids=REMADE)
def test_what_somebody_made_anew_is_theirs(host: OnMachine, remade: str, undone: str, named: str) -> None:
    """Ours was deleted by hand; something of its name, of its kind, is there now."""
    host.apply("--until", "routes")
    host.type(remade)
    done = host.undo()
    kept = {each["operation"]: each["why"] for each in done.events if each["event"] == "kept"}
    assert kept.get(named, "somebody made it anew") == "somebody made it anew"
    assert (named in kept) == (" " in named), "of the pair only the near end's name is taken: that is no such pair"
    assert host.left() == []
    host.type(undone)  # which works only for what is there


@pytest.mark.parametrize(("remade", "undone", "named"), REMADE.values(), ids=REMADE)
def test_what_somebody_made_anew_is_in_the_way_of_apply(host: OnMachine, remade: str, undone: str, named: str) -> None:
    host.apply("--until", "routes")
    host.type(remade)
    said = host("apply", "--until", "routes", code=4)
    assert any(word in said.err for word in named.split() if word[-1].isdigit())
    host.type(undone)
    host.apply("--until", "routes")


@pytest.mark.parametrize("then", ["apply", "undo"])
def test_a_namespace_deleted_while_its_server_keeps_it_alive(host: OnMachine, then: str) -> None:
    """It has lost its name, and lives; the far end of our cable is in there, and so is our server."""
    host.apply()
    host.type("ip netns del container2")
    if then == "apply":
        host.apply()
        assert host.states() == dict.fromkeys(STEPS, "done")
        assert all(each["ok"] for each in host.json("prove")["proofs"])
    host.undo()
    assert host.left() == []


BRIDGE = "ip link add br0 type bridge; ip addr add 10.77.0.1/24 dev br0; ip link set br0 up"


def the_bridges_call(faults: Faults) -> int:
    """The number of the call that makes the bridge, when the steps before it stand."""
    faults.lab.apply("--until", "addresses")
    faults.plan()
    faults.lab.apply("--until", "bridge")
    number = next(
        each.number for each in faults.calls if any("add br0" in line for line in (each.words, *each.changes))
    )
    faults.lab.undo("--from", "bridge")
    return number


def test_what_netlab_did_not_come_to_see_is_its_own_all_the_same(host_faults: Faults) -> None:
    """Killed right after it had made the bridge; the next one finishes the step, and then somebody makes it anew."""
    lab = host_faults.lab
    host_faults.plan(at=the_bridges_call(host_faults), what="after")
    with host_faults.running("apply", "--no-prove", "--until", "bridge") as walk:
        assert walk.stopped()
        walk.kill()
        walk.wait()
        walk.go("kill")
    host_faults.plan()
    lab.apply("--until", "bridge")
    lab.type("ip link del br0", BRIDGE)
    done = lab.undo()
    assert ("bridge br0", "somebody made it anew") in [
        (each["operation"], each["why"]) for each in done.events if each["event"] == "kept"
    ]
    assert "10.77.0.1" in lab.type("ip addr show br0")
    lab.type("ip link del br0")


def test_what_netlab_was_making_anew_is_its_own(host_faults: Faults) -> None:
    """Its bridge was deleted by hand, and it was killed right after it had made the next one."""
    lab = host_faults.lab
    number = the_bridges_call(host_faults)
    lab.apply("--until", "bridge")
    lab.type("ip link del br0")
    host_faults.plan(at=number, what="after")
    with host_faults.running("apply", "--no-prove", "--until", "bridge") as walk:
        assert walk.stopped()
        walk.kill()
        walk.wait()
        walk.go("kill")
    host_faults.plan()
    lab.apply("--until", "bridge")
    done = lab.undo()
    assert [each for each in done.events if each["event"] == "kept"] == []
    assert "br0" not in lab.type("ip link")


def test_what_netlab_failed_to_make_is_not_its_own(host_faults: Faults) -> None:
    lab = host_faults.lab
    host_faults.plan(at=the_bridges_call(host_faults), what="fail")
    assert lab.run("apply", "--no-prove", "--until", "bridge").code == 1
    host_faults.plan()
    lab.type(BRIDGE)
    refused = lab("apply", "--until", "bridge", code=4)
    assert "br0" in refused.err
    lab.undo()
    assert "10.77.0.1" in lab.type("ip addr show br0")
    lab.type("ip link del br0")


def test_what_is_adopted_keeps_what_its_owner_put_into_it(host: OnMachine) -> None:
    """The bridge is netlab's, its owner's when it was made anew, and used from then on."""
    host.apply("--until", "gateway")
    host.type("ip link del br0; ip link add br0 type bridge; ip addr add 172.168.1.1/24 dev br0; ip link set br0 up")
    host.apply("--until", "gateway", "--adopt")
    ran = [each["command"] for each in host.undo().events if each["event"] == "ran"]
    assert [each for each in ran if "br0" in each] == []
    shown = host.type("ip addr show br0")
    assert "172.168.1.1/24" in shown
    assert ",UP" in shown
    host.type("ip link del br0")
