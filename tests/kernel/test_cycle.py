"""The tutorial's second table, as it is seen: each proof fails before its step, passes after it, fails again after undo."""

# ruff: noqa: E501 — a row of a table is a line

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.kernel.runner import Event, Netlab
from tests.kernel.tutorial import STEPS
from tests.toy import TOY

pytestmark = pytest.mark.kernel


class Row(NamedTuple):
    """What is seen, as patterns. After undo it is as before."""

    step: str
    probe: str
    before: str
    after: str


ANSWERS = r"64 bytes from {}: icmp_seq=1 ttl=\d+ time=\S+ ms"
SILENT = r"no reply|From \S+ icmp_seq=1 Destination Host Unreachable"


# fmt: off
TABLE = [
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


@pytest.fixture(scope="module")
def cycle(shared: Netlab) -> list[Event]:
    """The whole course's cycle, once for all tests of this file; the sandbox of `shared` must not notice."""
    before = shared.snapshot()
    proofs: list[Event] = shared.json("prove", "--cycle")["proofs"]
    assert shared.differences(before) == []
    assert [path.name for path in shared.base.iterdir()] == ["default"]
    return proofs


def observed(cycle: list[Event], step: str, probe: str) -> dict[str, Event]:
    return {each["phase"]: each for each in cycle if (each["step"], each["probe"]) == (step, probe)}


@pytest.mark.parametrize("row", TABLE, ids=[f"{row.step}: {row.probe}" for row in TABLE])
def test_red_green_red(cycle: list[Event], row: Row) -> None:
    seen = observed(cycle, row.step, row.probe)
    assert [*seen] == ["before", "after", "undone"]
    for phase, pattern, turned in (
        ("before", row.before, "not yet: "),
        ("after", row.after, ""),
        ("undone", row.before, "no longer: "),
    ):
        assert re.fullmatch(pattern, seen[phase]["observed"]), f"{phase}: {seen[phase]['observed']}"
        assert seen[phase]["ok"]
        assert seen[phase]["expected"] == turned + seen["after"]["expected"]


def test_what_must_not_change(cycle: list[Event]) -> None:
    step, probe, words = STAYS
    seen = observed(cycle, step, probe)
    assert {(each["observed"], each["ok"], each["expected"]) for each in seen.values()} == {
        (words, True, "refused, as before")
    }
    assert len(seen) == 3


def test_the_table_is_whole(cycle: list[Event]) -> None:
    """No proof but those of the tutorial, and each step has one."""
    assert {(each["step"], each["probe"]) for each in cycle} == {(row.step, row.probe) for row in TABLE} | {STAYS[:2]}
    assert {row.step for row in TABLE} == set(STEPS)
    assert len(cycle) == 3 * (len(TABLE) + 1)


def test_of_some_steps(netlab: Netlab) -> None:
    proofs = netlab.json("prove", "address", "--cycle", "--course", TOY)["proofs"]
    assert [(each["step"], each["phase"], each["ok"]) for each in proofs] == [
        ("address", "before", True), ("address", "after", True), ("address", "undone", True)
    ]  # fmt: skip
    assert netlab.left() == []


CANNOT_FAIL = """
from netlab.model import Operation, Proof
from netlab.operations import up
from netlab.proofs import HOST, ping
needs = ("switch",)
operations = lambda lab: [up("lo", "")]
proofs = lambda lab: [ping(HOST, "127.0.0.1")]
"""
CANNOT_PASS = CANNOT_FAIL.replace("127.0.0.1", "203.0.113.1").replace('up("lo", "")', "up(lab.switch)")


@pytest.mark.parametrize(
    ("step", "wrong"),
    [(CANNOT_FAIL, {"before": False, "after": True, "undone": False}), (CANNOT_PASS, {"before": True, "after": False, "undone": True})],
    ids=["cannot fail", "cannot pass"],
)  # fmt: skip
def test_a_proof_that_proves_nothing_is_rejected(
    netlab: Netlab, tmp_path: Path, step: str, wrong: dict[str, bool]
) -> None:
    course = tmp_path / "course"
    shutil.copytree(TOY, course, ignore=shutil.ignore_patterns("__pycache__"))
    (course / "address.py").write_text(step)
    proofs = netlab.json("prove", "address", "--cycle", "--course", course, code=1)["proofs"]
    assert {each["phase"]: each["ok"] for each in proofs} == wrong
    assert netlab.left() == []
