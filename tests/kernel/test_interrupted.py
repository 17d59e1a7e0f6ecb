"""Cut short by Ctrl-C, by a signal, by a kill that leaves no time for anything: `apply` finishes, `undo` clears."""

from __future__ import annotations

import os
import signal

import pytest

from tests.kernel.runner import Event, Netlab, lines, processes_of, until
from tests.kernel.tutorial import OPERATIONS, STEPS

pytestmark = pytest.mark.kernel

MEASURED = False

MOMENTS: dict[str, tuple[str, str]] = {
    "at once": ("begun", ""),
    "when the namespaces are there": ("done", "namespaces"),
    "before the first address": ("step", "addresses"),
    "when the bridge is there": ("done", "bridge"),
    "while the servers start": ("step", "web"),
    "at the end": ("ended", ""),
}
"""The event after which it comes, and that event's step."""

SIGNALS = {"Ctrl-C": signal.SIGINT, "SIGTERM": signal.SIGTERM, "the terminal is closed": signal.SIGHUP}


def cut_short(netlab: Netlab, moment: tuple[str, str], number: int, *words: str) -> tuple[int, str]:
    """Signal netlab as soon as it tells of that event; its exit code and what it said then."""
    with netlab.process(*words) as process:
        for event in lines(process):
            if (event["event"], event.get("step", "")) == moment:
                os.kill(process.pid, number)
                break
        else:
            raise AssertionError("there was no such moment")
        _, said = process.communicate(timeout=60)
    return process.returncode, said


def finished(netlab: Netlab) -> None:
    netlab.apply()
    assert netlab.states() == dict.fromkeys(STEPS, "done")


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_killed_and_finished(lab: Netlab, moment: tuple[str, str]) -> None:
    code, _ = cut_short(lab, moment, signal.SIGKILL, "apply", "--no-prove", "--json")
    assert code == -signal.SIGKILL
    finished(lab)
    lab.undo()


@pytest.mark.parametrize("moment", ["at once", "when the namespaces are there", "when the bridge is there"])
def test_killed_and_cleared(lab: Netlab, moment: str) -> None:
    code, _ = cut_short(lab, MOMENTS[moment], signal.SIGKILL, "apply", "--no-prove", "--json")
    assert code == -signal.SIGKILL
    lab.undo()


@pytest.mark.parametrize("number", SIGNALS.values(), ids=SIGNALS)
@pytest.mark.parametrize("moment", ["before the first address", "while the servers start"])
def test_interrupted(lab: Netlab, moment: str, number: int) -> None:
    code, said = cut_short(lab, MOMENTS[moment], number, "apply", "--no-prove", "--json")
    assert code == 128 + number
    assert said.startswith(f"netlab: interrupted by {signal.Signals(number).name}\n"), said
    assert "`netlab apply` goes on from here; `netlab undo` takes the lab back" in said
    assert "Traceback" not in said
    if moment == "before the first address":
        finished(lab)
    lab.undo()


def test_undo_killed_goes_on(lab: Netlab) -> None:
    lab.apply()
    code, _ = cut_short(lab, ("begun", ""), signal.SIGKILL, "undo", "--json")
    assert code == -signal.SIGKILL
    lab.undo()


def test_ctrl_c_in_the_middle_of_a_command(lab: Netlab) -> None:
    """A proof is tried for five seconds, with pings that wait for one: the terminal's Ctrl-C comes meanwhile."""
    lab.apply("--until", "addresses")
    lab.type("ip netns exec container2 iptables -A INPUT -p icmp -j DROP")
    with lab.process("apply", "--until", "bridge", "--json") as process:
        until(lambda: "ping" in processes_of(lab.holder()).values())
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    until(lambda: [*processes_of(lab.holder()).values()] == ["sleep"])
    assert lab.states()["bridge"] == "done"
    lab.undo()


@pytest.mark.parametrize("number", [*SIGNALS.values(), signal.SIGKILL])
def test_a_capture_ends_with_who_began_it(lab: Netlab, number: int) -> None:
    """tcpdump waits for one packet, and root's becomes another user, whom the kernel tells of no parent's end."""
    lab.apply("--until", "nat")
    lab.type("ip netns exec container1 iptables -A OUTPUT -p icmp -j DROP")
    with lab.process("prove", "nat", "--json") as process:
        # The second ping is the capture's own: it listens then.
        until(lambda: [*processes_of(lab.holder()).values()].count("ping") >= 2)
        os.kill(process.pid, number)
        _, said = process.communicate(timeout=60)
    assert "goes on from here" not in said  # nothing was changed
    until(lambda: [*processes_of(lab.holder()).values()] == ["sleep"])
    lab.undo()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_while_the_sandbox_is_made(netlab: Netlab, number: int) -> None:
    """Nothing is forgotten: what is left is known, and one command ends it."""
    with netlab.process("apply", "--no-prove", "--json") as process:
        until(lambda: (netlab.base / "default").exists() or process.poll() is not None)
        os.kill(process.pid, number)
        _, said = process.communicate(timeout=60)
    assert process.returncode in (128 + number, -number), said
    netlab.apply("--until", "namespaces")
    assert len(netlab.holders()) == 1


def test_every_event_of_a_walk_is_told_before_the_next_begins(lab: Netlab) -> None:
    with lab.process("apply", "--no-prove", "--json") as process:
        events: list[Event] = list(lines(process))
    assert {each["operation"] for each in events if each["event"] == "ran"} == {
        operation for _, operation in OPERATIONS
    }
    turns = [(each["event"], each["step"]) for each in events if each["event"] in ("step", "done")]
    assert turns == [(event, step) for step in STEPS for event in ("step", "done")]
    lab.undo()
