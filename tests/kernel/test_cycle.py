"""The tutorial's second table, as it is seen: each proof fails before its step, passes after it, fails again after undo."""

# ruff: noqa: E501 — a row of a table is a line

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.kernel.runner import Event, Netlab, processes_of, until
from tests.kernel.tutorial import SEEN, STAYS, STEPS, Row
from tests.toy import TOY

pytestmark = pytest.mark.kernel


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


@pytest.mark.parametrize("row", SEEN, ids=[f"{row.step}: {row.probe}" for row in SEEN])
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
    assert {(each["step"], each["probe"]) for each in cycle} == {(row.step, row.probe) for row in SEEN} | {STAYS[:2]}
    assert {row.step for row in SEEN} == set(STEPS)
    assert len(cycle) == 3 * (len(SEEN) + 1)


def test_of_some_steps(netlab: Netlab) -> None:
    proofs = netlab.json("prove", "address", "--cycle", "--course", TOY)["proofs"]
    assert [(each["step"], each["phase"], each["ok"]) for each in proofs] == [
        ("address", "before", True), ("address", "after", True), ("address", "undone", True)
    ]  # fmt: skip
    assert netlab.left() == []


def test_what_a_killed_cycle_left_ends_with_the_next(netlab: Netlab) -> None:
    with netlab.process("prove", "--cycle") as living, netlab.process("prove", "--cycle") as killed:
        until(lambda: len(netlab.holders()) == 2)
        killed.kill()
        killed.wait()
        netlab("prove", "bridge", "--cycle")
        assert len(netlab.holders()) == 1, "another's that is at work is left alone"
        assert living.wait(60) == 0
    assert netlab.left() == []


def test_what_a_killed_cycle_left_stays_while_somebody_is_in_it(netlab: Netlab) -> None:
    with netlab.process("prove", "--cycle") as killed:
        until(lambda: ['"first"' in each.read_text() for each in netlab.base.glob("*/sandbox.json")] == [True])
        killed.kill()
    [name] = [path.name for path in netlab.base.iterdir()]
    [pid] = netlab.holders()
    with netlab.process("exec", "--sandbox", name, "host", "--", "sleep", "600"):
        until(lambda: [*processes_of(pid).values()].count("sleep") == 2)
        netlab("prove", "bridge", "--cycle")
        assert netlab.holders() == [pid]
    until(lambda: [*processes_of(pid).values()].count("sleep") == 1)
    netlab("prove", "bridge", "--cycle")
    assert netlab.left() == []


def test_what_looks_like_a_killed_cycle_and_cannot_be_told_stays(netlab: Netlab) -> None:
    """Its holder may live in a PID namespace that cannot be seen from here; or nobody knows what it is."""
    netlab("sandbox", "start")
    record = json.loads((netlab.base / "default/sandbox.json").read_text())
    record["made_by"], record["holder"]["pidns"] = "prove", 1
    (netlab.base / "default/sandbox.json").write_text(json.dumps(record))
    (netlab.base / "torn").mkdir(mode=0o700)
    (netlab.base / "torn/sandbox.json").write_text("{")
    (netlab.base / "torn/sandbox.json").chmod(0o600)
    netlab("prove", "bridge", "--cycle")
    assert sorted(path.name for path in netlab.base.iterdir()) == ["default", "torn"]
    assert len(netlab.holders()) == 1


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
