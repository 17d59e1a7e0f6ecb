"""What the preflight says of a machine, and whether the lab then works there: a sandbox plays the machine.

Each condition is made with the real tools, and the lab is applied all the same: its proofs fail where a conflict was
found, and nowhere else.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from netlab.facts import parse_table
from netlab.preflight.nftables import bases
from tests.kernel.conftest import ROOT_HALF
from tests.kernel.oldtools import FLUSHED, NO_NFT, OLD, unused
from tests.kernel.runner import TOP, Netlab, OnMachine

pytestmark = pytest.mark.kernel

FIREWALLS = TOP / "tests/data/firewalls"


@pytest.fixture(autouse=True)
def _as_root() -> None:
    if os.geteuid() != 0:  # who else may not read which tables of iptables-legacy there are
        pytest.skip(f"{ROOT_HALF}: --host is for root")


class Found(NamedTuple):
    """A finding, as far as these tests look at it."""

    name: str
    level: str
    cure: str


def examined(netlab: Netlab) -> list[Found]:
    """What examine_host finds in the sandbox."""
    inside = ("env", f"PYTHONPATH={TOP}", sys.executable, "-m", "tests.kernel.examine_inside")
    done = netlab("exec", "host", "--", *inside)
    return [Found(each["name"], each["level"], each["cure"]) for each in json.loads(done.out)]


def conflicts(findings: list[Found]) -> set[str]:
    return {each.name for each in findings if each.level == "conflict"}


def sh(netlab: Netlab, script: str) -> None:
    netlab("exec", "host", "--", "sh", "-ec", script)


def red(netlab: Netlab) -> set[str]:
    """Apply the lab, and name the steps whose proofs fail."""
    done = netlab.run("apply", "--json")
    assert done.code in (0, 1), str(done)
    return {each["step"] for each in done.proofs if not each["ok"]}


class Case(NamedTuple):
    """What is typed on the machine, the conflicts, and the steps whose proofs then fail."""

    script: str
    conflicts: set[str]
    red: set[str]


SERVICES = f"iptables-restore < {FIREWALLS}/iptables-services.txt"
AWAY = {"forwarding", "nat", "publish"}

CASES = {
    # firewalld on CentOS 7 lets pings out, and neither TCP nor clients in.
    "firewalld 0.6": Case(f"iptables-restore < {FIREWALLS}/firewalld-0.6.txt", {"FORWARD"}, {"publish"}),
    "firewalld 0.6, cured": Case(f"iptables-restore < {FIREWALLS}/firewalld-0.6-trusted.txt", set(), set()),
    # The lab proves pings on the way out, and TCP only on the way in.
    "firewalld 0.9": Case(f"nft -f {FIREWALLS}/firewalld-0.9.nft", {"FORWARD"}, set()),
    "firewalld 1.3": Case(f"nft -f {FIREWALLS}/firewalld-1.3.nft", set(), set()),
    "nftables": Case(f"nft -f {FIREWALLS}/nftables-drop.nft", {"FORWARD", "INPUT"}, {"gateway", "routes", *AWAY}),
    "ufw that rejects": Case(f"iptables-restore < {FIREWALLS}/ufw-reject.txt", {"FORWARD"}, {"publish"}),
    "Docker": Case(f"iptables-restore < {FIREWALLS}/docker-20.txt", {"port 8888"}, {"publish"}),
    "Docker with iptables-legacy": Case(
        f"iptables-legacy-restore < {FIREWALLS}/docker-20.txt", {"port 8888", "FORWARD"}, AWAY
    ),
    "bridged packets": Case(
        f"{SERVICES}; sysctl -q -w net.bridge.bridge-nf-call-iptables=1", {"FORWARD"}, {"bridge", *AWAY}
    ),
    # Strict, it drops what comes in by another card than the answer would leave by: of the lab's packets none does.
    "rp_filter": Case("sysctl -q -w net.ipv4.conf.all.rp_filter=1", set(), set()),
}


def _skip_nft(script: str) -> None:
    """There is one iptables on CentOS 7, and no nft."""
    if OLD and re.search("nft |iptables-legacy", script):
        pytest.skip(NO_NFT)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_breaks_the_lab_is_a_conflict(netlab: Netlab, case: Case) -> None:
    _skip_nft(case.script)
    netlab("sandbox", "start")
    sh(netlab, case.script)
    assert conflicts(examined(netlab)) == case.conflicts
    assert red(netlab) == case.red


CURED = {
    "iptables": SERVICES,
    "iptables-legacy": f"iptables-legacy-restore < {FIREWALLS}/iptables-services.txt",
    "nftables": f"nft -f {FIREWALLS}/nftables-drop.nft",
}


@pytest.mark.parametrize("script", CURED.values(), ids=CURED)
def test_the_cure_cures(netlab: Netlab, script: str) -> None:
    _skip_nft(script)
    netlab("sandbox", "start")
    sh(netlab, script)
    found = examined(netlab)
    assert "FORWARD" in conflicts(found)
    sh(netlab, "\n".join(each.cure for each in found if each.level == "conflict"))
    assert conflicts(examined(netlab)) == set()
    assert red(netlab) == set()


def test_what_is_in_the_way(netlab: Netlab) -> None:
    """Everything at once; and of a machine where nothing is, nothing is said."""
    netlab("sandbox", "start")
    assert conflicts(examined(netlab)) == set()
    sh(
        netlab,
        """
        ip netns add container1
        ip link add br0 type bridge
        ip link add veth2 type bridge
        ip link add other type bridge
        ip addr add 172.168.1.77/24 dev other
        iptables -t nat -A PREROUTING -p tcp --dport 8888 -j REDIRECT --to-ports 22
        ip route del default
        python3 -c 'import socket, time; s = socket.create_server(("", 9999)); time.sleep(600)' >/dev/null 2>&1 &
        until ss -ltn | grep -q :9999; do sleep 0.05; done
        """,
    )
    found = examined(netlab)
    wanted = {"namespace container1", "link br0", "link veth2", "network 172.168.1.0/24", "port 8888", "port 9999"}
    assert conflicts(found) == wanted
    assert "uplink ens33" in {each.name for each in found if each.level == "warning"}


@pytest.mark.skipif(OLD, reason=NO_NFT)
@pytest.mark.parametrize("file", sorted(FIREWALLS.glob("*.nft")), ids=lambda file: file.stem)
def test_what_was_captured_is_what_nft_prints(lab: Netlab, file: Path) -> None:
    printed = lab("exec", "host", "--", "sh", "-ec", f"nft -f {file}; nft -j list ruleset; nft flush ruleset").out
    captured = file.with_suffix(".json").read_text()
    assert bases(printed) == bases(captured) != []


@pytest.mark.parametrize("file", sorted(FIREWALLS.glob("*.txt")), ids=lambda file: file.stem)
def test_what_was_captured_is_what_iptables_takes_and_prints(lab: Netlab, file: Path) -> None:
    saved = f"iptables-save -t filter; iptables-save -t nat; {FLUSHED}"
    printed = lab("exec", "host", "--", "sh", "-ec", f"iptables-restore < {file}; {saved}").out
    for table in ("filter", "nat"):
        took, wrote = parse_table(printed, table), parse_table(file.read_text(), table)
        assert set(took.rules) == set(wrote.rules)
        assert wrote.policies.items() <= took.policies.items()


@pytest.mark.skipif(OLD, reason=NO_NFT)
def test_looking_changes_nothing(netlab: Netlab) -> None:
    """Not even iptables-legacy's tables, which reading would make."""
    netlab("sandbox", "start")
    before = netlab.snapshot()
    examined(netlab)
    assert netlab.differences(before) == []
    assert netlab("exec", "host", "--", "cat", "/proc/net/ip_tables_names").out == ""


# --- on a machine of the tests' own ----------------------------------------------------------------------------------


def bad(host: OnMachine, code: int) -> dict[str, str]:
    """What `doctor --host` says stands in the way: its cures by name."""
    done = host("doctor", "--json", code=code)
    return {each["name"]: each["cure"] for each in done.json["findings"] if each["level"] in ("missing", "conflict")}


def test_apply_stops_before_anything_is_changed_and_goes_on_when_the_way_is_clear(host: OnMachine) -> None:
    reject = "FORWARD -j REJECT --reject-with icmp-host-prohibited"
    host.given(f"iptables -A {reject}", undone=f"iptables -D {reject}; {unused('filter')}")
    said = host("apply", code=4)
    assert f"iptables -A {reject} drops" in said.err
    assert host.left() == []
    assert host.differences(host.start) == []
    cures = bad(host, 4)
    assert cures.keys() == {"FORWARD"}
    assert [each for each in cures["FORWARD"].splitlines() if f"→ {each}\n" not in said.err] == []
    host.given(*cures["FORWARD"].splitlines(), undone=cures["FORWARD"].replace(" -I ", " -D "))
    assert bad(host, 0) == {}
    host("apply")
    assert bad(host, 0) == {}, "what is netlab's own is in nobody's way"


def test_a_cure_can_be_typed_as_it_stands(host: OnMachine) -> None:
    host.given(
        "ip link add br0 type bridge",
        "ip netns add container1",
        "ip addr add 172.168.1.77/16 dev eth1",
        "iptables -t nat -A PREROUTING -p tcp --dport 8888 -j REDIRECT --to-ports 22",
        undone=f"ip link del br0; ip netns del container1; ip addr del 172.168.1.77/16 dev eth1; {FLUSHED}",
    )
    cures = bad(host, 4)
    assert cures.keys() == {"link br0", "namespace container1", "network 172.168.1.0/24", "port 8888"}
    settings = [word for cure in cures.values() for word in shlex.split(cure) if "=" in word]
    assert settings == ["containers.1.name=container3", "bridge=br1", "subnet=10.168.1.0/24", "containers.1.port=8889"]
    host("apply", *(word for setting in settings for word in ("--set", setting)))
    assert host("status", "--exit-code").code == 0
