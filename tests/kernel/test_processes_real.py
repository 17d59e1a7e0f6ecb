"""Jobs run for real: what they say comes back whole, with each job's own exit code, and what hangs is killed."""

from __future__ import annotations

import errno
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from netlab import processes
from netlab.errors import Missing
from netlab.model import Command, Result, Serve
from netlab.processes import Job, Running, Shells
from netlab.services import Services
from tests.kernel.runner import runs, until

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.usefixtures("processes_run"),
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),  # sh leaves its pipes to the garbage collector
]


@pytest.fixture
def told() -> list[tuple[Job, Result]]:
    return []


@pytest.fixture
def shells(told: list[tuple[Job, Result]]) -> Iterator[Shells]:
    made = Shells(lambda job, result: told.append((job, result)))
    yield made
    made.close()


def sh(script: str, stdin: str = "") -> Job:
    return Job(("sh", "-c", script), stdin=stdin)


def cat(text: str) -> Job:
    return Job(("cat",), stdin=text)


def only(results: list[list[Result | None]]) -> Result:
    ((result,),) = results
    assert result is not None
    return result


def _refuse(*arguments: object) -> NoReturn:
    raise OSError(errno.ENOSYS, "memfd_create")


@pytest.mark.parametrize("old", ["Python", "kernel"])
def test_where_no_file_lives_in_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, old: str) -> None:
    if old == "Python":
        monkeypatch.delattr(os, "memfd_create")
    else:
        monkeypatch.setattr(os, "memfd_create", _refuse)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ran = Shells(lambda job, result: None)
    assert only(ran.run([[sh("cat; echo err >&2", "in\n")]])).stdout == "in\n"
    assert list(tmp_path.iterdir()) == []
    ran.close()


ENDINGS = {
    "well": ("true", 0),
    "badly": ("exit 7", 7),
    "the highest": ("exit 255", 255),
    "killed, as a shell says it": ("kill -KILL $$", 128 + 9),
    "by a real-time signal": ("kill -40 $$", 128 + 40),
}


@pytest.mark.parametrize(("script", "code"), ENDINGS.values(), ids=ENDINGS)
def test_how_a_job_ended(shells: Shells, script: str, code: int) -> None:
    result = only(shells.run([[sh(f"echo out; echo err >&2; {script}")]]))
    assert (result.code, result.stdout, result.stderr.splitlines()[0]) == (code, "out\n", "err")


TEXTS = {
    "nothing": "",
    "no newline at the end": "a",
    "many lines": "x\n" * 100_000,
    "a long line": "x" * 1_000_000 + "\n",
    "quotes and dollars": "'\"$HOME`id`\\\n$(id)\n",
    "what looks like the end of a here-document": "EOF\nEOF_\n",
    "control characters": "\x01\x1c\x1d\x1e\x1f\x7f\n",
    "no ASCII": "é 漢字\n",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_what_is_read_and_said_comes_back_whole(shells: Shells, text: str) -> None:
    text = text if text.endswith("\n") or not text else text + "\n"
    assert only(shells.run([[cat(text)]])).stdout == text
    assert only(shells.run([[sh("cat >&2", text)]])).stderr == text


def test_words_are_words(shells: Shells) -> None:
    words = ["a b", "", "$HOME", "'", '"', "*", "-n", "é", "\\", ";id", "`id`"]
    assert only(shells.run([[Job(("printf", "[%s]", *words))]])).stdout == "".join(f"[{word}]" for word in words)


def test_no_job_reads_the_next_ones_lines(shells: Shells) -> None:
    results = shells.run([[sh("cat"), sh("cat"), cat("mine\n")]])
    assert [result.stdout for result in results[0] if result is not None] == ["", "", "mine\n"]


def test_lanes_keep_their_order_and_their_shape(shells: Shells, told: list[tuple[Job, Result]]) -> None:
    lanes = [[cat(f"{lane}.{number}\n") for number in range(lane)] for lane in (3, 0, 1, 5, 2)]
    results = shells.run(lanes)
    assert [[result.stdout for result in lane if result is not None] for lane in results] == [
        [job.stdin for job in lane] for lane in lanes
    ]
    assert [job for job, _ in told] == [job for lane in lanes for job in lane]


def test_two_lanes_run_side_by_side(shells: Shells, tmp_path: Path) -> None:
    """Each waits for the other: one after the other they would wait for ever."""
    meet = "touch {0}/{1}; until [ -e {0}/{2} ]; do sleep 0.01; done"
    one, other = sh(meet.format(tmp_path, "a", "b")), sh(meet.format(tmp_path, "b", "a"))
    assert [[result.code for result in lane if result] for lane in shells.run([[one], [other]])] == [[0], [0]]


def test_a_chain_ends_where_a_job_fails(shells: Shells) -> None:
    failing, going = [cat("a\n"), sh("exit 3"), cat("b\n")], [cat("c\n"), cat("d\n")]
    first, second = shells.run([failing, going], chain=True)
    assert [result.code if result else None for result in first] == [0, 3, None]
    assert [result.code if result else None for result in second] == [0, 0]
    assert [result.code if result else None for result in shells.run([failing])[0]] == [0, 3, 0]


def test_nothing_to_run(shells: Shells) -> None:
    assert shells.run([]) == []
    assert shells.run([[], []]) == [[], []]


def test_a_program_that_is_missing(shells: Shells) -> None:
    with pytest.raises(Missing) as caught:
        shells.run([[Job(("no-such-program",))]])
    assert caught.value.code == 5


def test_the_environment_is_ours(shells: Shells, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_PRELOAD_OF_SOMEBODY", "x")
    monkeypatch.setenv("ENV", "/etc/profile")
    said = only(shells.run([[Job(("env",))]])).stdout.splitlines()
    names = {line.partition("=")[0] for line in said if not line.startswith("COVERAGE")}
    assert names <= {"PATH", "LC_ALL", "PWD", "OLDPWD", "SHLVL", "_"}
    assert "LC_ALL=C" in said


def test_a_job_has_no_terminal_and_none_of_our_files(shells: Shells, tmp_path: Path) -> None:
    assert only(shells.run([[sh("[ -t 0 ] || [ -t 1 ] || [ -t 2 ] || echo none")]])).stdout == "none\n"
    with (tmp_path / "precious").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        opened = only(shells.run([[sh("readlink /proc/self/fd/*")]])).stdout
    assert "/dev/null" in opened
    assert "precious" not in opened


def test_what_hangs_is_killed_with_all_that_it_started(
    shells: Shells, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(processes, "LIMIT", 0.3)
    begun = time.monotonic()
    pids = f"sleep 600 & echo $! $$ >{tmp_path}/pids; wait"
    first, second = shells.run([[cat("a\n"), sh(pids), cat("b\n")], [cat("c\n")]])
    assert time.monotonic() - begun < 60
    assert first[0] == Result(0, "a\n", "", first[0].seconds if first[0] else 0)
    assert first[1] is not None
    assert first[1].code != 0
    assert "timed out and was killed" in first[1].stderr
    assert second[0] is not None
    for pid in (tmp_path / "pids").read_text().split():
        until(lambda pid=pid: not runs(int(pid)))  # type: ignore[misc]
    assert only(shells.run([[cat("again\n")]])).stdout == "again\n"


def test_an_exception_leaves_nothing_running(shells: Shells, tmp_path: Path) -> None:
    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        with pytest.raises(KeyboardInterrupt):
            shells.run([[sh(f"echo $$ >{tmp_path}/pid; sleep 600")]])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    pid = int((tmp_path / "pid").read_text())
    until(lambda: not runs(pid))


# --- in the background -----------------------------------------------------------------------------------------------


def test_running_says_things_as_they_come() -> None:
    running = Running(("/bin/sh", "-c", "echo listening >&2; sleep 600"))
    until(lambda: "listening" in running.stderr)
    assert running.alive
    running.kill(signal.SIGTERM)
    assert running.wait(60).code == -signal.SIGTERM
    until(lambda: not running.alive)
    running.kill()


def test_running_has_its_time() -> None:
    begun = time.monotonic()
    assert Running(("/bin/sleep", "600")).wait(0.2).code == -signal.SIGKILL
    assert time.monotonic() - begun < 60


# --- servers ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return Services(tmp_path / "services")


def start(services: Services, *argv: str) -> int:
    result = services.start(Command(argv, None, Serve("web", "<h1>hello</h1>")))
    assert result.code == 0, result.stderr
    until(lambda: services.running("web"))
    return services.running("web")


def test_a_server_outlives_its_starter_and_is_known(services: Services, tmp_path: Path) -> None:
    pid = start(services, "sleep", "600")
    try:
        assert Services(tmp_path / "services").running("web") == pid
        assert os.getsid(pid) != os.getsid(0)
        assert os.readlink(f"/proc/{pid}/cwd") == str(tmp_path / "services/web/www")
        assert (tmp_path / "services/web/www/index.html").read_text() == "<h1>hello</h1>"
        ignored = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if "SigIgn" in line)
        assert not int(ignored.split()[1], 16) & 1 << signal.SIGTERM - 1
    finally:
        os.kill(pid, signal.SIGKILL)
    until(lambda: services.running("web") == 0)


def test_a_pid_that_was_given_away(services: Services, tmp_path: Path) -> None:
    pid = start(services, "sleep", "600")
    record = tmp_path / "services/web/record"
    stat = record.read_text()
    os.kill(pid, signal.SIGKILL)
    until(lambda: services.running("web") == 0)
    record.write_text(stat.replace(str(pid), str(os.getpid()), 1))
    assert services.running("web") == 0


@pytest.mark.parametrize("text", ["", "x", "1 (a) S", "1 (a", f"{2**70} (a) S " + "0 " * 30, "-1 (a) S " + "0 " * 30])
def test_a_record_that_says_nothing(services: Services, tmp_path: Path, text: str) -> None:
    assert services.running("web") == 0
    (tmp_path / "services/web").mkdir(parents=True)
    (tmp_path / "services/web/record").write_text(text)
    assert services.running("web") == 0
