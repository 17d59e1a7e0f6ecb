"""What a host does when a command fails: it tries again what time heals, from where it failed, and tells of it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest

from netlab import processes, retries
from netlab.errors import CommandFailed
from netlab.events import Event, Process, Retried
from netlab.host import Host
from netlab.model import Command, Result
from netlab.processes import Job
from netlab.reading import SHOW_STACK
from netlab.services import Services

pytestmark = [pytest.mark.kernel, pytest.mark.usefixtures("processes_run")]

BUSY = Result(1, "", "RTNETLINK answers: Device or resource busy\nCommand failed -:2\n")
EXISTS = Result(1, "", "RTNETLINK answers: File exists\nCommand failed -:2\n")
LOCKED = Result(4, "", "Another app is currently holding the xtables lock. Perhaps you want to use the -w option?\n")
FINE = Result(0, "", "")


class Shells:
    """Answers as scripted, job after job, and remembers what was run. The last answer is given for ever."""

    def __init__(self, *answers: Result) -> None:
        self.answers = list(answers)
        self.ran: list[str] = []

    def run(self, lanes: Sequence[Sequence[Job]], *, chain: bool = False) -> list[list[Result | None]]:
        return [[self._answer(job) for job in lane] for lane in lanes]

    def _answer(self, job: Job) -> Result:
        lines = job.stdin.removesuffix(SHOW_STACK)  # a look rides along
        argv = shlex.join(job.argv).replace("ip -o -d -batch", "ip -batch")
        self.ran.append(f"{argv} < {lines}" if lines else argv)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def host(monkeypatch: pytest.MonkeyPatch, *answers: Result) -> tuple[Host, Shells]:
    shells = Shells(*answers)
    monkeypatch.setattr(processes.Shells, "run", lambda _, lanes, *, chain=False: shells.run(lanes, chain=chain))
    return Host(Services(Path("/proc/no-state"))), shells


def commands(*lines: str, netns: str | None = None) -> list[Command]:
    return [Command(tuple(line.split()), netns) for line in lines]


IP = commands("ip link add br0 type bridge", "ip link set veth1 master br0", "ip link set br0 up")
RULES = commands("iptables -w -t nat -A POSTROUTING -j ACCEPT", "iptables -w -t nat -A PREROUTING -j ACCEPT")


def told(host: Host) -> list[Event]:
    return [event for event in host.events if not isinstance(event, Process)]


def test_what_goes_well_runs_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made, shells = host(monkeypatch, FINE)
    assert [each.command for each in made.perform(IP)] == IP
    assert shells.ran == ["ip -batch - < link add br0 type bridge\nlink set veth1 master br0\nlink set br0 up\n"]
    assert told(made) == []


def test_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    made, shells = host(monkeypatch, FINE)
    assert [(each.command, each.shared) for each in made.perform(IP, together=False)] == [(each, 1) for each in IP]
    assert [each.strip(" <\n") for each in shells.ran] == [" ".join(each.argv) for each in IP]


def test_what_is_busy_is_tried_again_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    made, shells = host(monkeypatch, BUSY, Result(1, "", "RTNETLINK answers: Device or resource busy\nCommand failed -:1\n"), FINE)  # fmt: skip # noqa: E501
    assert [each.command for each in made.perform(IP)] == IP
    rest = "ip -batch - < link set veth1 master br0\nlink set br0 up\n"
    assert shells.ran[1:] == [rest, rest]
    retried = [event for event in told(made) if isinstance(event, Retried)]
    assert {event.command for event in retried} == {"ip link set veth1 master br0"}
    assert {event.reason for event in retried} == {"RTNETLINK answers: Device or resource busy"}


def test_a_lock_is_waited_for_and_the_whole_change_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made, shells = host(monkeypatch, LOCKED, LOCKED, FINE)
    assert [each.command for each in made.perform(RULES)] == RULES
    assert len(shells.ran) == 3
    assert len({*shells.ran}) == 1
    assert shells.ran[0].startswith("iptables-restore ")


def test_what_stays_busy_is_an_error_at_last(monkeypatch: pytest.MonkeyPatch) -> None:
    row = retries.Passing("ip", "Device or resource busy", 0.2)
    monkeypatch.setattr(retries, "TABLE", (row,))
    made, shells = host(monkeypatch, BUSY, Result(1, "", "RTNETLINK answers: Device or resource busy\nCommand failed -:1\n"))  # fmt: skip # noqa: E501
    with pytest.raises(CommandFailed) as caught:
        list(made.perform(IP))
    assert caught.value.details == (
        "ip link set veth1 master br0",
        "it said: RTNETLINK answers: Device or resource busy",
    )
    assert len(shells.ran) > 2


def test_what_no_time_heals_is_an_error_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made, shells = host(monkeypatch, EXISTS)
    with pytest.raises(CommandFailed) as caught:
        list(made.perform([*IP, *RULES]))
    assert caught.value.message == "a command failed with exit code 1"
    assert caught.value.details == ("ip link set veth1 master br0", "it said: RTNETLINK answers: File exists")
    assert len(shells.ran) == 1  # and nothing is run after it
    assert told(made) == []


def test_another_error_after_a_retry_is_reported_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    made, shells = host(monkeypatch, BUSY, Result(1, "", "RTNETLINK answers: File exists\nCommand failed -:1\n"))
    with pytest.raises(CommandFailed) as caught:
        list(made.perform(IP))
    assert caught.value.details == ("ip link set veth1 master br0", "it said: RTNETLINK answers: File exists")
    assert len(shells.ran) == 2


def test_silence_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = host(monkeypatch, Result(2, "", ""))
    with pytest.raises(CommandFailed) as caught:
        list(made.perform(commands("sysctl -w net.a=1")))
    assert caught.value.details == ("sysctl -w net.a=1", "it said: it said nothing")


def test_looking_says_what_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    made, shells = host(monkeypatch, Result(0, "hello\n", ""))
    absent, there = made.run(commands("no-such-program x", "sh -c true"))
    assert (absent.code, absent.stderr) == (127, "no-such-program: not found")
    assert there.stdout == "hello\n"
    assert shells.ran == ["sh -c true"]


SWEPT = [f"ip link del veth{number}" for number in range(5)]
ALL = "".join(
    f"{number}: veth{number}: <UP> mtu 1500 group 28268\\    link/ether 02:00:00:00:00:0{number}\n"
    for number in range(5)
)
MORE = ALL + "9: stranger: <UP> mtu 1500 group 28268\\    link/ether 02:00:00:00:00:09\n"


@pytest.mark.parametrize(
    ("group", "last"),
    [(ALL, "ip link del group 28268"), (MORE, "ip -batch - < " + "".join(f"link del veth{n}\n" for n in range(5)))],
    ids=["nobody else is in that group", "a stranger is"],
)
def test_many_links_go_at_once_and_no_strangers(monkeypatch: pytest.MonkeyPatch, group: str, last: str) -> None:
    made, shells = host(monkeypatch, FINE, Result(0, group, ""), FINE)
    assert [str(each.command) for each in made.perform(commands(*SWEPT))] == SWEPT
    assert shells.ran[0].endswith("link set veth4 group 28268\n")
    assert shells.ran[1] == "ip -o link show group 28268"
    assert shells.ran[2] == last
