"""A command that fails once, or for good, or never ends: what time heals is waited for, and the rest is said."""

from __future__ import annotations

import shlex
from typing import NamedTuple

import pytest

from tests.kernel.runner import Event
from tests.kernel.tutorial import STEPS
from tests.torture.faults import TOOLS, Call, Faults, entries
from tests.torture.test_boundaries import reference

pytestmark = pytest.mark.kernel

MEASURED = False

STRIDES = [13, pytest.param(1, marks=[pytest.mark.torture, pytest.mark.timeout(1800)])]


class Fault(NamedTuple):
    code: int
    says: str


PASSING = {
    "ip": Fault(2, "RTNETLINK answers: Device or resource busy"),
    "iptables": Fault(4, "Another app is currently holding the xtables lock. Perhaps you want to use the -w option?"),
    "iptables-save": Fault(1, "iptables-save: Resource temporarily unavailable"),
    "iptables-restore": Fault(4, "Another app is currently holding the xtables lock; waiting (0s) for it to exit..."),
    "nft": Fault(1, "netlink: Error: cache initialization failed: Interrupted system call"),
    "sysctl": Fault(1, "sysctl: Resource temporarily unavailable"),
    "grep": Fault(2, "grep: /proc/sys/net: Cannot allocate memory"),
    "kill": Fault(1, "kill: Resource temporarily unavailable"),
}  # fmt: skip
"""What each tool says of what time heals."""


def passing(call: Call) -> Fault | None:
    return PASSING.get(call.words.split()[0])


def failing(number: int, lines: int, faults: dict[str, Fault]) -> dict[str, str | int]:
    """The plan by which a call fails, once ``lines`` of its lines have run, with the words of its tool."""
    where = f"\nCommand failed -:{lines + 1}" if lines else ""
    cases = "".join(
        f"{name}) code={each.code} says={shlex.quote(each.says + where)};;" for name, each in faults.items()
    )
    return {"at": number, "what": "fail", "lines": lines, "more": f"case $name in {cases} esac"}


def points(call: Call) -> list[int]:
    """After how many of its lines it may fail: each, for `ip`, which stops there."""
    return [0, *call.inner] if call.words.startswith("ip ") else [0]


@pytest.mark.parametrize("walk", ["apply", "undo"])
@pytest.mark.parametrize("stride", STRIDES)
def test_what_time_heals(faults: Faults, walk: str, stride: int) -> None:
    lab = faults.lab
    calls = reference(faults, walk)
    faults.plan()
    lab.apply()
    whole = lab.snapshot("whole")
    lab.undo()
    every = [(call, lines) for call in calls for lines in points(call) if passing(call)]
    tried = every[::stride]
    for call, lines in tried:
        if walk == "undo":
            lab.apply()
        faults.plan(**failing(call.number, lines, PASSING))
        done = lab.apply() if walk == "apply" else lab.undo()
        fault = passing(faults.calls[call.number - 1])  # two that run side by side may have changed places
        assert fault is not None
        retries = [each for each in done.events if each["event"] == "retry"]
        assert [each["reason"] for each in retries] == [fault.says], (call.words, lines, call.number, str(done))
        if walk == "apply":
            assert lab.differences(whole) == [], (call.words, lines)
            lab.undo()
        assert lab.differences(lab.start) == [], (call.words, lines)
    print(f"{walk}: {len(tried)} of {len(every)} calls failed once")


@pytest.mark.parametrize("stride", STRIDES)
def test_what_fails_for_good(faults: Faults, stride: int) -> None:
    """The step, the operation and the command are named, no later one has run, and undo is clean."""
    lab = faults.lab
    calls = reference(faults, "apply")
    every = [(call, lines) for call in calls for lines in points(call) if not call.words.startswith("python3")]
    for call, lines in every[::stride]:
        faults.plan(
            **failing(call.number, lines, dict.fromkeys(TOOLS, Fault(2, "RTNETLINK answers: Operation not permitted")))
        )
        done = lab.run("apply", "--no-prove", "--json")
        call = faults.calls[call.number - 1]
        about = (call.number, call.words, lines, str(done))
        assert done.code == 1, about
        assert "Operation not permitted" in done.err, about
        assert "Traceback" not in done.err, about
        begun = [each["step"] for each in done.events if each["event"] == "step"]
        if call.changes:
            assert f"step {begun[-1]!r}: " in done.err, about
            assert named(call.changes[lines], done.err), about
        assert ran_after(done.events) == [], about
        states = [lab.states()[each] for each in STEPS[len(begun) :]]
        assert set(states) <= {"todo"}, about
        lab.undo()
        assert lab.differences(lab.start) == [], about
        assert entries(lab) == []
    print(f"{len(every[::stride])} of {len(every)} calls failed for good")


def named(change: str, said: str) -> bool:
    """Is the command shown as a person would type it?"""
    return change.removeprefix("iptables-restore ") in said.replace("ip netns exec container1 ", "").replace(
        "ip netns exec container2 ", ""
    )


def ran_after(events: list[Event]) -> list[str]:
    """Steps that ended though one before them did not."""
    begun = [each["step"] for each in events if each["event"] == "step"]
    ended = [each["step"] for each in events if each["event"] == "done"]
    return [each for each in ended if each not in begun[: len(ended)]]
