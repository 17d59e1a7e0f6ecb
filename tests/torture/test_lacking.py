"""What the machine lacks: an end to a command, a program, room on the disk, open files. It is said, and undo is clean."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from netlab.programs import find
from tests.kernel.runner import COMMAND, Netlab, processes_of, until
from tests.torture.faults import Faults, entries
from tests.torture.test_boundaries import reference

pytestmark = pytest.mark.kernel

MEASURED = False

LIMIT = 1.0
"""Seconds for which a call's commands may run, instead of the minute that a person's netlab waits."""


def clean(lab: Netlab) -> None:
    lab.undo()
    assert lab.differences(lab.start) == []
    assert entries(lab) == []
    until(lambda: [*processes_of(lab.holder()).values()] == ["sleep"])


# --- an end ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("walk", ["apply", "undo"])
@pytest.mark.parametrize("stride", [11, pytest.param(1, marks=[pytest.mark.torture, pytest.mark.timeout(1800)])])
def test_what_never_ends(faults: Faults, walk: str, stride: int) -> None:
    lab = faults.lab
    calls = reference(faults, walk)
    tried = calls[::stride]
    for call in tried:
        if walk == "undo":
            lab.apply()
        faults.plan(at=call.number, what="hang")
        done = lab.run(walk, "--json", *(["--no-prove"] if walk == "apply" else []))
        call = faults.calls[call.number - 1]  # noqa: PLW2901 two that run side by side may have changed places
        about = (call.number, call.words, str(done))
        faults.plan()
        assert done.code == 1, about
        if call.words.startswith("python3"):
            assert "does not hold, though its command ran" in done.err, about
        else:
            assert "timed out and was killed" in done.err, about
        if call.changes:
            begun = [each["step"] for each in done.events if each["event"] == "step"]
            assert "step " in done.err, about
            assert walk == "undo" or f"step {begun[-1]!r}: " in done.err, about
        assert "Traceback" not in done.err, about
        clean(lab)
    print(f"{walk}: {len(tried)} of {len(calls)} calls never ended")


@pytest.mark.parametrize("tool", ["ss", "curl"])
def test_what_is_asked_and_never_answers(faults: Faults, tool: str) -> None:
    faults.plan(at=tool, what="hang")
    done = faults.lab.run("apply", "--no-prove", "--json")
    faults.plan()
    assert done.code == 1
    assert "timed out and was killed" in done.err
    clean(faults.lab)


# --- a program -------------------------------------------------------------------------------------------------------

NEEDED = ("ip", "iptables", "iptables-save", "iptables-restore", "sysctl", "ss", "curl", "nsenter", "python3",
          "setsid", "sh", "grep")  # fmt: skip
"""What a whole `apply` runs, apart from nft: where iptables is the old one, nobody needs it."""


@pytest.mark.parametrize("tool", NEEDED)
def test_a_program_that_is_not_there(lab: Netlab, tool: str) -> None:
    """Nothing that can be run is there in its place; `undo` then finds all of its tools again."""
    path = find(tool)
    assert path is not None
    real = os.path.realpath(path)
    lab("exec", "host", "--", "mount", "--bind", "/dev/null", real)
    done = lab.run("apply", "--no-prove", "--json")
    lab("exec", "host", "--", "umount", real)
    assert done.code == 5, str(done)
    assert f"the program '{tool}' is missing" in done.err or "iptables" in tool, str(done)
    assert "Traceback" not in done.err
    clean(lab)


# --- room on the disk ------------------------------------------------------------------------------------------------


@pytest.fixture
def full(lab: Netlab) -> Iterator[Path]:
    """The lab's state folder, on a disk of its own that has no room left."""
    folder = lab.base / "default"
    lab.type(
        "mkdir /run/disk",
        "mount -t tmpfs -o size=4m,mode=700 tmpfs /run/disk",
        f"cp -a {folder}/. /run/disk",
        f"mount --move /run/disk {folder}",
    )
    yield folder
    lab.type(f"umount {folder}")


def fill(lab: Netlab, folder: Path, room: int = 0) -> None:
    """Leave ``room`` bytes, and none in pages that a file has begun."""
    lab.type(f"cat /dev/zero >{folder}/filled 2>/dev/null || :")
    if room:
        lab.type(f"truncate -s -{room} {folder}/filled")


def test_no_room_for_the_journal(lab: Netlab, full: Path) -> None:
    fill(lab, full)
    done = lab.run("apply", "--no-prove", "--json")
    assert done.code == 1
    assert "No space left on device" in done.err
    assert "step 'namespaces'" in done.err
    assert [each for each in done.events if each["event"] == "ran"] == []
    lab.type(f"rm {full}/filled")
    clean(lab)
