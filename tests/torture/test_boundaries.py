"""Killed at every boundary of every command, of `apply` and of `undo`: nothing is lost, and nothing is left."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.kernel.runner import Netlab, processes_of, until
from tests.kernel.tutorial import STEPS
from tests.torture.faults import Call, Faults, entries

pytestmark = pytest.mark.kernel

MEASURED = False

Boundary = tuple[int, str, int]
"""The number of a call, when in it (before, after, lines), and after how many of its lines."""


def kept(lab: Netlab) -> list[str]:
    """The files of the lab's folder, and the mounts of its sandbox."""
    files = [str(path.relative_to(lab.base)) for path in sorted(lab.base.rglob("*")) if "services" not in path.parts]
    mounts = Path(f"/proc/{lab.holder()}/mountinfo").read_text().splitlines()
    return [*files, *(line.split()[4] for line in mounts)]


def boundaries(calls: list[Call]) -> list[Boundary]:
    """Every one of a walk."""
    return [
        boundary
        for each in calls
        for boundary in (
            (each.number, "before", 0),
            *((each.number, "lines", count) for count in each.inner),
            # A server has no end of its own.
            *([(each.number, "after", 0)] if not each.words.startswith("python3") else []),
        )
    ]


def reference(faults: Faults, walk: str) -> list[Call]:
    """The calls of a walk that nothing disturbs."""
    lab = faults.lab
    faults.plan()
    lab.apply()
    if walk == "undo":
        faults.plan()
    calls: list[Call] = []
    if walk == "apply":
        calls = faults.calls
    lab.undo()
    calls = calls or faults.calls
    assert [call for call in calls if call.changes], "the seam is not in place"
    return calls


def killed(faults: Faults, walk: str, boundary: Boundary) -> bool:
    """Kill a walk there, and what it runs, too; False where it did not come there."""
    number, when, lines = boundary
    faults.plan(at=number, what=when, lines=lines)
    with faults.running(walk, "--json", *(["--no-prove"] if walk == "apply" else [])) as going:
        if not going.stopped():
            return False
        going.kill()
        assert going.wait().code == -9
        going.go("kill")
    faults.plan()
    return True


def finished(lab: Netlab) -> None:
    lab.apply()
    assert lab.states() == dict.fromkeys(STEPS, "done")
    assert [each for each in lab.json("prove")["proofs"] if not each["ok"]] == []


@pytest.mark.parametrize("then", ["apply, prove, undo", "undo"])
@pytest.mark.parametrize("walk", ["apply", "undo"])
@pytest.mark.parametrize("stride", [29, pytest.param(1, marks=[pytest.mark.torture, pytest.mark.timeout(1800)])])
def test_killed_with_all_that_it_runs(faults: Faults, walk: str, then: str, stride: int) -> None:
    lab = faults.lab
    calls = reference(faults, walk)
    before = kept(lab)
    every = boundaries(calls)
    stopped: list[Boundary] = []
    for boundary in every[::stride]:
        if walk == "undo":
            lab.apply()
        if killed(faults, walk, boundary):
            stopped.append(boundary)
        if then != "undo":
            finished(lab)
        lab.undo()
        assert lab.differences(lab.start) == [], boundary
        assert (entries(lab), kept(lab)) == ([], before)
        until(lambda: [*processes_of(lab.holder()).values()] == ["sleep"])
    print(f"{walk}: {len(stopped)} of {len(every)} boundaries, {len(calls)} calls")
    assert stopped == every[::stride]


@pytest.mark.parametrize("walk", ["apply", "undo"])
@pytest.mark.parametrize("stride", [29, pytest.param(1, marks=[pytest.mark.torture, pytest.mark.timeout(1800)])])
def test_killed_alone(faults: Faults, walk: str, stride: int) -> None:
    """What netlab had just started goes on without it, and has not ended when the next netlab comes."""
    lab = faults.lab
    calls = reference(faults, walk)
    for boundary in [each for each in boundaries(calls) if each[1] == "before"][::stride]:
        if walk == "undo":
            lab.apply()
        faults.plan(at=boundary[0], what="before")
        with faults.running(walk, "--json", *(["--no-prove"] if walk == "apply" else [])) as going:
            assert going.stopped()
            going.kill()
            assert going.wait().code == -9
            faults.quiet()
            with faults.running("undo", "--json") as undo:
                time.sleep(0.2)
                # A server that stood still it may have ended, and then nobody hears.
                until(lambda: going.heard("on") or undo.ended)
            assert undo.wait().code == 0, str(undo.wait())
        assert lab.differences(lab.start) == [], boundary
        assert entries(lab) == []
        until(lambda: [*processes_of(lab.holder()).values()] == ["sleep"])
