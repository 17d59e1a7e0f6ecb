"""What the machine lacks: a command's end, a program, room on the disk, open files. It is said, and undo is clean."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from netlab.programs import find
from tests.kernel.runner import COMMAND, Netlab, processes_of, until
from tests.torture.faults import Faults, entries
from tests.torture.test_boundaries import reference

pytestmark = pytest.mark.kernel

MEASURED = False

PAGE = 4096

LIMIT = 1.0
"""Seconds for which a call's commands may run, instead of the minute that a person's netlab waits."""


def clean(lab: Netlab) -> None:
    lab.undo()
    assert lab.differences(lab.start) == []
    assert entries(lab) == []
    until(lambda: [*processes_of(lab.holder()).values()] == ["sleep"])


# --- an end ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("walk", ["apply", "undo"])
@pytest.mark.parametrize("stride", [17, pytest.param(1, marks=[pytest.mark.torture, pytest.mark.timeout(1800)])])
def test_what_never_ends(faults: Faults, walk: str, stride: int) -> None:
    lab = faults.lab
    calls = reference(faults, walk)
    tried = calls[::stride]
    for call in tried:
        if walk == "undo":
            lab.apply()
        faults.plan(at=call.number, what="hang")
        done = lab.run(walk, "--json", *(["--no-prove"] if walk == "apply" else []))
        call = faults.calls[call.number - 1]
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
        "mkdir -p /run/disk",
        "mount -t tmpfs -o size=4m,mode=700 tmpfs /run/disk",
        f"cp -a {folder}/. /run/disk",
        f"mount --move /run/disk {folder}",
    )
    yield Path(f"/proc/{lab.holder()}/root{folder}")
    lab.type(f"umount {folder}")


def fill(folder: Path, room: int = 0) -> None:
    """Leave ``room`` bytes to the journal, on the page that it has begun, and none to anything else."""
    journal = folder / "journal.jsonl"
    if room:
        frame = '{"done": ""}\n'
        spare = (2 * PAGE - room - journal.stat().st_size - len(frame)) % PAGE
        with journal.open("a") as file:
            file.write(frame.replace('""', f'"{"x" * spare}"'))
    with (folder / "filled").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(PAGE))


def test_no_room_for_the_journal(lab: Netlab, full: Path) -> None:
    """However many bytes there may be left: a line that is cut short is not left behind, and no command of it ran."""
    reached = set()
    for room in range(16, PAGE, 410):
        lab.apply("--until", "namespaces")
        fill(full, room)
        done = lab.run("apply", "--no-prove", "--json")
        assert done.code in (1, 5), str(done)
        assert "No space left on device" in done.err, done.err
        begun = [each["step"] for each in done.events if each["event"] == "step"]
        reached.add(begun[-1])
        if "not run: " in done.err:
            assert f"step {begun[-1]!r}: " in done.err, done.err
            assert [each for each in done.events if each["event"] == "ran" and each["step"] == begun[-1]] == []
        assert (full / "journal.jsonl").read_text().endswith("}\n")
        (full / "filled").unlink()
        clean(lab)
    assert len(reached) > 1


@pytest.mark.parametrize("until", ["veth", "nat", None])
def test_no_room_while_it_is_taken_back(lab: Netlab, full: Path, until: str | None) -> None:
    lab.apply(*(["--until", until] if until else []))
    fill(full)
    done = lab.run("undo", "--json")
    # On the page that the journal has begun there may be room for the one line that it takes.
    assert done.code in (0, 5), str(done)
    assert done.code == 0 or "No space left on device" in done.err
    (full / "filled").unlink()
    clean(lab)


# --- open files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("walk", ["apply", "undo"])
@pytest.mark.parametrize("stride", [12, pytest.param(1, marks=[pytest.mark.torture, pytest.mark.timeout(900)])])
def test_no_more_open_files(lab: Netlab, walk: str, stride: int) -> None:
    codes = {}
    for limit in range(5, 40, stride):
        if walk == "undo":
            lab.apply()
        words = [walk, "--json", *(["--no-prove"] if walk == "apply" else [])]
        done = subprocess.run(
            ["sh", "-c", f'ulimit -n {limit}; exec "$@"', "sh", *COMMAND, *words],
            env=lab.environment, cwd=lab.home, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        codes[limit] = done.returncode
        # Python itself needs some to begin at all, and says so in its own way.
        started = "netlab" in done.stderr and "Traceback" not in done.stderr
        assert done.returncode == 0 or (started and done.returncode in (1, 5)) or limit < 9, (limit, done.stderr)
        clean(lab)
    print(f"{walk}: exit codes {codes}")
    assert codes[max(codes)] == 0
    assert set(codes.values()) - {0}
