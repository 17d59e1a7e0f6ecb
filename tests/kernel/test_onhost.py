"""--host on a machine of the tests' own: the whole course, what is somebody else's, and what leaves by the uplink."""

# ruff: noqa: E501 — a row of a table is a line

from __future__ import annotations

import json
import re
from typing import NamedTuple

import pytest

from tests.kernel.machine import ADDRESS, CARD, GATEWAY, INTERNET
from tests.kernel.oldtools import unused
from tests.kernel.runner import OnMachine
from tests.kernel.tutorial import STEPS

pytestmark = pytest.mark.kernel


def names(host: OnMachine, state: str) -> list[str]:
    return [name for name, each in host.states().items() if each == state]


# --- the course ------------------------------------------------------------------------------------------------------


def test_the_whole_course_and_back(host: OnMachine) -> None:
    said = host("apply", "--json")
    assert all(each["ok"] for each in said.proofs)
    assert {each["step"] for each in said.proofs} == {*STEPS}
    assert names(host, "done") == [*STEPS]
    assert host("apply", "--json").ran == []
    for port in (8888, 9999):
        assert "Hello from container" in host.machine.from_outside(f"curl -sS --max-time 2 http://{ADDRESS}:{port}/")
    host("undo")
    assert host.left() == []
    assert host.differences(host.start) == []


def test_what_is_left_out_and_why(host: OnMachine) -> None:
    left = [each for each in host("apply", "--json").events if each["event"] == "left out"]
    beyond = f"{INTERNET} is neither this machine nor its gateway; --internet {INTERNET} allows it"
    nobody = "there is no node 'client' around a real machine: try it from another one"
    assert [(each["step"], each["probe"], each["why"]) for each in left] == [
        ("nat", f"container1 pings {INTERNET}", beyond),
        ("nat", f"container1 pings {INTERNET} while {CARD} is watched", beyond),
        ("publish", f"client fetches http://{ADDRESS}:8888/", nobody),
        ("publish", f"client fetches http://{ADDRESS}:9999/", nobody),
    ]
    assert host.json("prove")["left_out"] == [{key: each[key] for key in ("step", "probe", "why")} for each in left]
    with host.machine.watched() as packets:
        asked = host.json("prove", "nat", "--internet", INTERNET)
    assert asked["left_out"] == []
    assert all(each["ok"] for each in asked["proofs"])
    assert [each for each in packets if f"> {INTERNET}: ICMP echo request" in each]


def test_nothing_but_the_gateway_is_asked(host: OnMachine) -> None:
    """All probes, red and green, while the far end of the uplink is watched."""
    with host.machine.watched() as packets:
        proofs = host.json("prove", "--cycle")["proofs"]
    assert all(each["ok"] for each in proofs)
    assert {each["step"] for each in proofs} == {*STEPS}
    ends = {end for each in packets for end in re.findall(r"IP (\S+) > (\S+): ", each)}
    assert ends == {(ADDRESS, GATEWAY), (GATEWAY, ADDRESS), ("172.168.1.11", GATEWAY)}
    unsent = [each for each in proofs if each["observed"] == "no route to the lab: not sent"]
    assert {(each["step"], each["probe"], each["phase"]) for each in unsent} == {
        ("gateway", "host pings 172.168.1.11", phase) for phase in ("before", "undone")
    }
    assert names(host, "todo") == [*STEPS]
    assert host.left() == []


def test_a_server_is_not_looked_for_beyond_the_bridge(host: OnMachine) -> None:
    """The bridge has gone, and the server still listens: whether it answers is not asked by the uplink."""
    host("apply", "--until", "web")
    host.type("ip link del br0")
    with host.machine.watched() as packets:
        assert "web" in names(host, "drifted")
        host("plan")
    assert packets in ([], [""])


def test_a_cycle_does_not_take_back_what_stands(host: OnMachine) -> None:
    host("apply", "--until", "veth")
    said = host("prove", "--cycle", code=4)
    assert "these stand on this machine" in said.err
    assert names(host, "done") == ["namespaces", "veth"]


def test_exec_in_a_container_and_here(host: OnMachine) -> None:
    host("apply", "--until", "veth")
    assert "eth1" in host("exec", "container1", "--", "ip", "-o", "link").out
    assert CARD in host("exec", "host", "--", "ip", "-o", "link").out
    assert host("exec", "host", "--", "sh", "-c", "exit 7", code=7).out == ""
    assert "there are: host, container1, container2" in host("exec", "router", "--", "true", code=2).err


# --- the uplink ------------------------------------------------------------------------------------------------------


def test_the_default_route_of_the_smallest_metric_is_the_uplink(host: OnMachine) -> None:
    host.given(
        "ip route add default via 192.168.56.1 dev eth1 metric 50",
        f"ip route del default via {GATEWAY} dev {CARD}",
        f"ip route add default via {GATEWAY} dev {CARD} metric 100",
        undone=f"ip route flush default; ip route add default via {GATEWAY} dev {CARD}",
    )
    assert "-o eth1 -j MASQUERADE" in host("plan", "--until", "nat").out
    assert f"-o {CARD} -j MASQUERADE" in host("plan", "--until", "nat", "--set", f"uplink={CARD}").out


def test_a_lab_stays_with_the_uplink_that_it_was_made_with(host: OnMachine) -> None:
    host("apply", "--until", "nat")
    host.type(
        "ip route add default via 192.168.56.1 dev eth1 metric 1", f"ip route change default via {GATEWAY} dev {CARD}"
    )
    assert names(host, "done") == [step for step in STEPS if step not in ("loopback", "web", "publish")]
    assert host.apply("--until", "nat").ran == []
    host.type("ip route del default via 192.168.56.1")


def test_rules_of_another_table(host: OnMachine) -> None:
    """What this machine sends to the lab would go by another card: it is said before, and the cure helps."""
    rule, route = "rule add lookup 77 priority 50", "route add default via 192.168.56.1 dev eth1 table 77"
    host.given(f"ip {rule}; ip {route}", undone="ip rule del priority 50; ip route flush table 77")
    [found] = [each for each in host.json("doctor")["findings"] if each["name"] == "policy routing"]
    assert found["level"] == "warning"
    host.given(found["cure"], undone="ip rule del priority 49")
    with host.machine.watched("lan0") as packets:
        assert all(each["ok"] for each in host("apply", "--until", "web", "--json").proofs)
    assert packets in ([], [""])
    host("undo")


UPLINKS = {
    "no default route": ("ip route del default", [], 5, ["no default route", "--set uplink=CARD", CARD]),
    "a card that is not there": (":", ["--set", "uplink=eth9"], 2, ["no card 'eth9'", CARD, "eth1"]),
    "a card without a gateway": (
        ":",
        ["--set", "uplink=eth1"],
        5,
        ["does not tell the lab's router", "--set router=ADDRESS"],
    ),
    "a card without an address": ("ip addr flush dev eth1", ["--set", "uplink=eth1"], 5, ["host_address and router"]),
}


@pytest.mark.parametrize(("typed", "words", "code", "said"), UPLINKS.values(), ids=UPLINKS)
def test_an_uplink_that_cannot_be_told(
    host: OnMachine, typed: str, words: list[str], code: int, said: list[str]
) -> None:
    again = f"ip addr add 192.168.56.10/24 dev eth1 2>/dev/null || :; ip route replace default via {GATEWAY} dev {CARD}"
    host.given(typed, undone=again)
    err = host("apply", *words, code=code).err
    assert [each for each in said if each not in err] == []
    assert host.left() == []


def test_the_doctor_says_what_else_there_is_where_no_route_leads_out(host: OnMachine) -> None:
    host.given("ip route del default", undone=f"ip route add default via {GATEWAY} dev {CARD}")
    found = {each["name"]: each for each in host.json("doctor", code=5)["findings"]}
    assert (found["uplink"]["level"], found["uplink"]["cure"]) == (
        "missing",
        "name the card that leads out: --set uplink=CARD",
    )
    assert found["root"]["level"] == found["program ip"]["level"] == "ok"


# --- what is somebody else's -----------------------------------------------------------------------------------------


class Stranger(NamedTuple):
    """Something of a wanted name that was there before: how it came, how it goes, and what netlab says of it."""

    typed: str
    undone: str
    named: str
    adoptable: bool = True


STRANGERS = {
    "a namespace": Stranger("ip netns add container1", "ip netns del container1", "container1"),
    "a bridge": Stranger("ip link add br0 type bridge", "ip link del br0", "br0"),
    "a bridge that is up": Stranger("ip link add br0 up type bridge", "ip link del br0", "br0"),
    "the tutorial's pair": Stranger(
        "ip netns add container1; ip link add veth1 type veth peer name eth1 netns container1",
        "ip link del veth1; ip netns del container1", "veth1",
    ),
    "a veth with another end": Stranger("ip link add veth1 type veth peer name other", "ip link del veth1", "veth1", adoptable=False),
    "a bridge's name on another kind": Stranger("ip link add br0 type veth peer name other", "ip link del br0", "br0", adoptable=False),
    "a pair's name on another kind": Stranger("ip link add veth2 type bridge", "ip link del veth2", "veth2", adoptable=False),
}  # fmt: skip


@pytest.mark.parametrize("stranger", STRANGERS.values(), ids=STRANGERS)
def test_of_a_wanted_name(host: OnMachine, stranger: Stranger) -> None:
    host.given(stranger.typed, undone=stranger.undone)
    said = host("apply", code=4)
    assert stranger.named in said.err
    assert "nothing was changed" in said.err
    assert host.differences(host.start) == []
    assert host.left() == []
    said = host("apply", "--adopt", code=0 if stranger.adoptable else 4)
    if stranger.adoptable:
        assert host("apply", "--json").ran == [], "what was adopted need not be adopted again"
        undone = host.undo()
        kept = [each["operation"] for each in undone.events if each["event"] == "kept"]
        assert [each for each in kept if stranger.named in each]
    assert host.differences(host.start) == []


EQUAL = {
    "the policy DROP": ("iptables -P FORWARD DROP", unused("filter")),
    "ip_forward": ("sysctl -q -w net.ipv4.ip_forward=1", "sysctl -q -w net.ipv4.ip_forward=0 net.ipv4.conf.all.accept_redirects=1"),
    "an equal rule": (
        f"iptables -t nat -A POSTROUTING -s 172.168.1.0/24 -o {CARD} -j MASQUERADE",
        f"iptables -t nat -D POSTROUTING -s 172.168.1.0/24 -o {CARD} -j MASQUERADE; {unused('nat')}",
    ),
    "two equal rules": (
        f"for i in 1 2; do iptables -t nat -A POSTROUTING -s 172.168.1.0/24 -o {CARD} -j MASQUERADE; done",
        f"for i in 1 2; do iptables -t nat -D POSTROUTING -s 172.168.1.0/24 -o {CARD} -j MASQUERADE; done; {unused('nat')}",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("typed", "undone"), EQUAL.values(), ids=EQUAL)
def test_what_was_there_before_is_there_again(host: OnMachine, typed: str, undone: str) -> None:
    host.given(typed, undone=undone)
    host.apply()
    host("undo")
    assert host.differences(host.start) == []


def test_a_strangers_equal_rule_stays(host: OnMachine) -> None:
    rule = f"POSTROUTING -s 172.168.1.0/24 -o {CARD} -j MASQUERADE"
    host.apply("--until", "nat")
    host.type(f"iptables -t nat -A {rule}")
    host("undo")
    assert host.type("iptables -t nat -S").count(f"-A {rule}") == 1
    host.type(f"iptables -t nat -D {rule}", unused("nat"))


@pytest.mark.parametrize("steps", [("nat", "publish"), ("publish", "nat")])
def test_what_two_steps_share_goes_with_the_last_of_them(host: OnMachine, steps: tuple[str, ...]) -> None:
    host.apply()
    for step in steps:
        host("undo", "--from", step)
    found = host.snapshot("without")
    host("undo")
    assert " nat" not in found.read_text()


def test_the_hosts_own_eth1_stays_where_it_is(host: OnMachine) -> None:
    before = host.type("ip -o link show eth1")
    host.apply()
    assert host.type("ip -o link show eth1") == before
    host("undo")
    assert host.type("ip -o link show eth1") == before


# --- while it stands -------------------------------------------------------------------------------------------------

DRIFTS = {
    "a firewall that is loaded anew": ("iptables -F; iptables -t nat -F", {"nat", "publish"}),
    "a bridge that was deleted": ("ip link del br0", {"bridge", "gateway", "routes", "web"}),
    "a namespace that was deleted": ("ip netns pids container2 | xargs kill; ip netns del container2; while [ -e /sys/class/net/veth2 ]; do sleep 0.05; done", {"namespaces", "veth", "addresses", "loopback", "bridge", "routes", "web"}),
}  # fmt: skip


@pytest.mark.parametrize(("typed", "drifted"), DRIFTS.values(), ids=DRIFTS)
def test_what_is_missing_is_said_and_repaired(host: OnMachine, typed: str, drifted: set[str]) -> None:
    host.apply()
    host.type(typed)
    assert {*names(host, "drifted")} == drifted
    assert all(host.missing()[step] for step in drifted)
    assert all(each["ok"] for each in host("apply", "--json").proofs)
    assert names(host, "done") == [*STEPS]
    host("undo")


def test_a_firewall_that_closes_meanwhile_is_open_while_the_lab_stands(host: OnMachine) -> None:
    host.apply("--until", "nat")
    host.type("iptables -t nat -F", "iptables -P FORWARD DROP")
    assert {*names(host, "drifted")} == {"forwarding", "nat"}
    assert all(each["ok"] for each in host("apply", "--until", "nat", "--json").proofs)
    host("undo")
    assert ":FORWARD DROP" in host.type("iptables-save")
    host.type(unused("filter"))


def test_the_record_is_gone_after_a_restart(host: OnMachine) -> None:
    """A restart that keeps /run, as in some containers: what the kernel had is gone, and so is what was written of it."""
    host.apply("--until", "namespaces")
    record = json.loads(host.type("cat /run/netlab/host/host.json"))
    host.type(
        "ip netns del container1; ip netns del container2",
        f"echo '{json.dumps({**record, 'boot': 'another'})}' >/run/netlab/host/host.json",
    )
    said = host("undo")
    assert "the machine was restarted" in said.err
    assert host.left() == []


def test_a_record_of_another_network_namespace_is_not_used(host: OnMachine) -> None:
    host.apply("--until", "namespaces")
    record = host.type("cat /run/netlab/host/host.json")
    other = json.dumps({**json.loads(record), "netns": 1})
    host.type(f"echo '{other}' >/run/netlab/host/host.json")
    assert "another network namespace" in host("undo", code=4).err
    host.type(f"echo '{record.strip()}' >/run/netlab/host/host.json")


UNSAFE = {
    "a link": ("mkdir /run/elsewhere; ln -s elsewhere /run/netlab", "rm /run/netlab; rmdir /run/elsewhere", "link"),
    "a file": ("touch /run/netlab", "rm /run/netlab", "link or file"),
    "somebody else's": ("mkdir -m 700 /run/netlab; chown 1000 /run/netlab", "rmdir /run/netlab", "belongs to somebody else"),
    "open to others": ("mkdir -m 755 /run/netlab", "rmdir /run/netlab", "chmod 700 /run/netlab"),
    "a parent that a group can write": ("chmod g+w /run", "chmod g-w /run", "chmod go-w /run"),
    "a parent that anybody can write": ("chmod 1777 /run", "chmod 755 /run", "chmod go-w /run"),
}  # fmt: skip


@pytest.mark.parametrize(("typed", "undone", "said"), UNSAFE.values(), ids=UNSAFE)
def test_a_state_folder_that_cannot_be_trusted(host: OnMachine, typed: str, undone: str, said: str) -> None:
    host.type(typed)
    err = host("apply", code=4).err
    host.type(undone)
    assert said in err
    assert host.differences(host.start) == []


def test_what_is_said_to_be_kept_is_there(host: OnMachine) -> None:
    """Of what was adopted, some went meanwhile, and netlab made it anew: that goes, and is not said to be kept."""
    host.given("ip netns add container1; ip link add br0 type bridge", undone="ip netns del container1")
    host("apply", "--adopt", "--no-prove", "--until", "bridge")
    host.type("ip link del br0")
    host.apply("--until", "bridge")
    kept = {each["operation"]: each["why"] for each in host.undo().events if each["event"] == "kept"}
    assert kept == {"network namespace container1": "it was there before netlab"}
    host.start = host.snapshot()


# --- the record ------------------------------------------------------------------------------------------------------


def test_a_journal_that_is_gone_is_not_said_to_be_undone(host: OnMachine) -> None:
    host.apply("--until", "namespaces")
    host.type("rm /run/netlab/host/journal.jsonl")
    done = host.undo()
    assert [(each["operation"], each["why"]) for each in done.events if each["event"] == "kept"] == [
        (f"network namespace container{number}", "netlab has no record of making it") for number in (1, 2)
    ]
    assert "nothing of the lab is left" not in done.err
    host.type("ip netns del container1; ip netns del container2")


def test_a_look_throws_no_journal_away(host: OnMachine) -> None:
    """Half of the record is gone: what the other half says is kept, until it can be used."""
    host.apply("--until", "namespaces")
    record = host.type("cat /run/netlab/host/lab.json")
    host.type("rm /run/netlab/host/lab.json")
    for words in (["status"], ["undo"], ["apply"]):
        assert "lab.json is gone, and journal.jsonl beside it" in host(*words, code=4).err
    host.type("umask 77; cat >/run/netlab/host/lab.json <<'end'", record.strip(), "end")
    assert len(host.undo().ran) == 2
    assert host.left() == []


# --- words -----------------------------------------------------------------------------------------------------------


def test_a_cure_of_two_commands_has_a_line_for_each(host: OnMachine) -> None:
    host.given("iptables -A FORWARD -j REJECT", undone=f"iptables -D FORWARD -j REJECT; {unused('filter')}")
    said = host("apply", code=4).err.splitlines()
    cures = [f"    → iptables -w -I FORWARD -{way} br0 -j ACCEPT" for way in ("i", "o")]
    assert [each for each in said if "iptables -w -I" in each] == cures


def test_a_hint_names_this_machine(host: OnMachine) -> None:
    """A command fails, whichever: what the engine says of it leads to this machine, not into a sandbox."""
    switch = "/proc/sys/net/ipv4/ip_forward"
    host.given(f"mount --bind {switch} {switch}; mount -o remount,ro,bind {switch}", undone=f"umount {switch}")
    said = host("apply", "--until", "forwarding", code=1).err
    assert "`netlab apply --host` goes on from here; `netlab undo --host` takes the lab back" in said


def test_an_uplink_of_the_bridges_name(host: OnMachine) -> None:
    """As on many a host of virtual machines."""
    host.given(
        "ip link add br0 up type bridge; ip addr add 10.9.9.9/24 dev br0; ip route replace default via 10.9.9.1 dev br0",
        undone=f"ip link del br0; ip route add default via {GATEWAY} dev {CARD}",
    )
    assert "--set bridge=NAME gives another" in host("doctor", code=2).err
    assert "ip link add br1 type bridge" in host("plan", "--set", "bridge=br1").out


# --- the teaching walk -----------------------------------------------------------------------------------------------


def test_the_guided_walk_and_a_place_in_the_course(host: OnMachine) -> None:
    text = host("learn", "--lang", "en").out
    assert "Not tried on this machine: client fetches" in text
    assert names(host, "done") == [*STEPS]
    host("goto", "bridge")
    assert names(host, "done") == [*STEPS[: STEPS.index("bridge")]]
    host("goto", "nat", "--after")
    assert host("prove").code == 0
    host("undo")
    assert host.left() == []
    assert host.differences(host.start) == []


def test_the_walk_begins_with_what_is_in_the_way(host: OnMachine) -> None:
    host.given("ip link add br0 type bridge", undone="ip link del br0")
    for words in (("learn",), ("goto", "nat")):
        assert "br0" in host(*words, code=4).err
    assert host.left() == []
    host("learn", "--adopt")
    host("undo")
    host.type("ip link show br0")  # it was there before netlab


def test_hands_on_is_for_sandboxes(host: OnMachine) -> None:
    assert "--hands-on is for a sandbox" in host("learn", "--hands-on", code=2).err
    assert host.left() == []


# --- what only looks like something of netlab's ------------------------------------------------------------------------

FOREIGN = {
    "a link into a process": "ln -s /proc/1/ns/net /run/netns/container1",
    "a file with something in it": "echo mine >/run/netns/container1",
    "a namespace of another mount namespace": (
        "unshare --mount --propagation private sh -c"
        " 'mkdir -p /run/netns; ip netns add container1; echo >/run/made; exec sleep 600' >/dev/null 2>&1 &"
        " echo $! >/run/its-pid; until [ -e /run/made ]; do sleep 0.05; done"
    ),
}


@pytest.mark.parametrize("typed", FOREIGN.values(), ids=FOREIGN)
def test_a_name_in_run_netns_that_is_no_half_made_one(host: OnMachine, typed: str) -> None:
    host.given(
        f"mkdir -p /run/netns; {typed}",
        undone="[ ! -e /run/its-pid ] || kill $(cat /run/its-pid); rm -f /run/made /run/its-pid /run/netns/container1",
    )
    before = host.type("stat -c '%N %F %s' /run/netns/container1")
    done = host.run("apply", "--until", "namespaces")
    assert done.code == 4, str(done)
    assert "/run/netns/container1 is a link or file, or a namespace of another mount namespace" in done.err
    assert host.type("stat -c '%N %F %s' /run/netns/container1") == before
    assert host.left() == []


def test_a_table_that_iptables_cannot_read(host: OnMachine) -> None:
    """iptables-save says so and nothing else, with exit code 0: no rule of netlab's would ever be seen in it."""
    if "nf_tables" not in host.type("iptables -V"):
        pytest.skip("CentOS 7 has no nftables")
    native = "nft add rule ip nat POSTROUTING ct mark set 5"
    host.apply("--until", "nat")
    host.type(native)
    for words in (["apply"], ["status"], ["undo"]):
        done = host.run(*words)
        assert done.code == 4, str(done)
        assert "nft list table ip nat" in done.err
    rules = host.type("nft list table ip nat")
    assert rules.count("masquerade") == 1
    handle = host.type("nft -a list chain ip nat POSTROUTING | sed -n 's/.*ct mark set.*# handle //p'")
    host.type(f"nft delete rule ip nat POSTROUTING handle {handle}")
    host.undo()
    assert host.differences(host.start) == []
