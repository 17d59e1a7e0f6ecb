"""Ended by a signal at any moment, netlab itself or a command that it runs: nothing is lost, and nothing is left."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.kernel.runner import Netlab, processes_of, until
from tests.kernel.tutorial import STEPS
from tests.torture.faults import entries

pytestmark = pytest.mark.kernel

MEASURED = False

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)

ENDS = {0, 1, 5, *(128 + each for each in SIGNALS), *(-each for each in SIGNALS), -signal.SIGKILL}
"""How it may end: in spite of it, by what it did to a command, or by it; when all is done Python itself ends by it."""

SEED = 8111


def told(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=90)
    for line in out.splitlines(keepends=True):
        assert not line.endswith("\n") or json.loads(line), "what it says is whole lines"
    return err


def a_command(lab: Netlab, holder: int, servers: set[int], chance: random.Random) -> int:
    """Some process that netlab runs in the sandbox; 0 where it runs none just then."""
    there = [pid for pid in processes_of(holder) if pid != holder and pid not in servers]
    return chance.choice(there) if there else 0


@pytest.mark.parametrize("target", ["netlab", "a command"])
@pytest.mark.parametrize("count", [4, pytest.param(200, marks=[pytest.mark.torture, pytest.mark.timeout(3600)])])
def test_at_any_moment(lab: Netlab, target: str, count: int) -> None:
    chance = random.Random(SEED)
    holder = lab.holder()
    ends: dict[int, int] = {}
    for number in range(count):
        walk, sent = chance.choice(["apply", "undo"]), SIGNALS[number % len(SIGNALS)]
        if walk == "undo":
            lab.apply()
        servers = processes_of(holder).keys() - {holder}
        about = (number, walk, sent)
        with lab.process(walk, "--json", *(["--no-prove"] if walk == "apply" else [])) as process:
            # The interpreter's own start is not of interest: it has no lock and no lab.
            time.sleep(0.25 + chance.random() * 0.8)
            victim = process.pid if target == "netlab" else a_command(lab, holder, {*servers}, chance)
            if victim and process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(victim, sent)
            said = told(process)
        assert process.returncode in ENDS, (*about, said)
        assert "Traceback" not in said, (*about, said)
        ends[process.returncode] = ends.get(process.returncode, 0) + 1
        lab.json("status")  # whatever is on disk can be read
        if chance.random() < 0.5:
            lab.apply()
            assert lab.states() == dict.fromkeys(STEPS, "done"), about
        lab.undo()
        assert lab.differences(lab.start) == [], about
        assert entries(lab) == [], about
        until(lambda: [*processes_of(holder).values()] == ["sleep"])
    print(f"{target}: {count} moments, exit codes {ends}")


def family(pid: int) -> set[int]:
    """The processes that it has forked, and those that they have."""
    found = set[int]()
    with contextlib.suppress(OSError):
        for child in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
            found |= {child, *family(child)}
    return found


@pytest.mark.parametrize("count", [8, pytest.param(400, marks=[pytest.mark.torture, pytest.mark.timeout(3600)])])
def test_right_after_a_fork(netlab: Netlab, count: int) -> None:
    """While the sandbox is made, entered and worked in; what was forked does not know its parent yet."""
    for number in range(count):
        with netlab.process("apply", "--no-prove", "--json") as process:
            seen, wanted = set[int](), 1 + number % 8
            while len(seen) < wanted and process.poll() is None:
                seen |= family(process.pid)
            process.kill()
        netlab("status", "--wait", "20")
        netlab("undo", "--wait", "20")
        assert netlab.left() == [], (number, wanted)
