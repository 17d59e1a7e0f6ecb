"""A state folder that is locked, unsafe, torn, newer, or names a pid that is somebody else's by now."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kernel.runner import Netlab, until
from tests.kernel.tutorial import OPERATIONS

pytestmark = pytest.mark.kernel


# --- the lock --------------------------------------------------------------------------------------------------------


@pytest.fixture
def busy(netlab: Netlab) -> Iterator[int]:
    """The pid of a netlab that has the lock, and has been stopped while it works."""
    netlab("sandbox", "start")
    with netlab.process("apply", "--until", "namespaces", "--json") as process:
        assert process.stdout is not None
        process.stdout.readline()
        os.kill(process.pid, signal.SIGSTOP)
        yield process.pid
        os.kill(process.pid, signal.SIGCONT)
        process.communicate()


def test_who_holds_the_lock_is_named(netlab: Netlab, busy: int) -> None:
    done = netlab("status", "--wait", "0.2", code=4)
    assert f"another netlab is at work on 'default': pid {busy} since " in done.err
    assert "waited 0.2 s for its lock" in done.err
    assert done.out == ""


def test_not_to_wait_is_not_to_wait(netlab: Netlab, busy: int) -> None:
    begun = time.monotonic()
    assert "waited 0 s for its lock" in netlab("status", "--wait", "0", code=4).err
    assert time.monotonic() - begun < 50


def test_the_second_waits_for_the_first(netlab: Netlab, busy: int) -> None:
    with netlab.process("status", "--json") as second:
        with pytest.raises(subprocess.TimeoutExpired):
            second.wait(0.7)
        os.kill(busy, signal.SIGCONT)
        out, _ = second.communicate(timeout=60)
    assert json.loads(out)["steps"][0] == {"name": "namespaces", "state": "done", "missing": []}


def test_another_sandbox_has_another_lock(netlab: Netlab, busy: int) -> None:
    netlab("status", "--sandbox", "other", "--wait", "0")


def test_a_lock_goes_with_its_holder(netlab: Netlab, busy: int) -> None:
    os.kill(busy, signal.SIGKILL)
    netlab("status", "--wait", "5")


# --- unsafe ----------------------------------------------------------------------------------------------------------


def a_link(base: Path) -> None:
    base.rename(base.with_name("moved"))
    base.symlink_to("moved")


def a_file(base: Path) -> None:
    base.rmdir()
    base.touch()


UNSAFE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a link in its place": (a_link, "is not a folder but a link or file"),
    "a file in its place": (a_file, "is not a folder but a link or file"),
    "open to all": (lambda base: base.chmod(0o777), "can be entered by others"),
    "open to the group": (lambda base: base.chmod(0o710), "can be entered by others"),
    "in a folder open to all": (lambda base: base.parent.chmod(0o777), "can be written by anybody"),
}


@pytest.mark.parametrize("spoil", UNSAFE)
@pytest.mark.parametrize(
    "words", [["apply"], ["status"], ["undo"], ["exec", "host", "--", "true"], ["sandbox", "start"]]
)
def test_an_unsafe_folder_is_refused(netlab: Netlab, spoil: str, words: list[str]) -> None:
    act, said = UNSAFE[spoil]
    netlab.base.mkdir(mode=0o700)
    act(netlab.base)
    done = netlab(*words, code=4)
    assert said in done.err
    assert netlab.holders() == []
    netlab.base.parent.chmod(0o700)
    if netlab.base.is_symlink() or netlab.base.is_file():
        netlab.base.unlink()
    else:
        netlab.base.rmdir()


def test_a_link_inside_is_not_followed(netlab: Netlab, tmp_path: Path) -> None:
    netlab("sandbox", "start")
    precious = tmp_path / "precious"
    precious.write_text("precious")
    for name in ("journal.jsonl", "lock"):
        path = netlab.base / "default" / name
        path.unlink(missing_ok=True)
        path.symlink_to(precious)
        netlab("apply", "--until", "namespaces", "--no-prove", code=4)
        path.unlink()
    assert precious.read_text() == "precious"


# --- the journal -----------------------------------------------------------------------------------------------------


def journal(netlab: Netlab) -> Path:
    return netlab.base / "default/journal.jsonl"


def test_a_newer_journal_is_left_alone(netlab: Netlab) -> None:
    netlab.apply("--until", "veth")
    text = journal(netlab).read_text()
    newer = text.replace('{"journal": 1}', '{"journal": 2}')
    assert newer != text
    journal(netlab).write_text(newer)
    for words in (["undo"], ["status"], ["apply"]):
        assert "was written by a newer netlab" in netlab(*words, code=4).err
    assert journal(netlab).read_text() == newer
    journal(netlab).write_text(text)
    netlab.undo()
    assert netlab.left() == []


def test_a_journal_that_nobody_understands(netlab: Netlab) -> None:
    netlab.apply("--until", "namespaces")
    lines = len(journal(netlab).read_text().splitlines())
    with journal(netlab).open("a") as file:
        file.write('{"step": "veth", "operation": {"kind": "teapot"}, "before": null}\n')
    done = netlab("undo", code=4)
    assert f"line {lines + 1} of the journal" in done.err
    assert "teapot" in done.err
    netlab("sandbox", "end")  # the way on that it names
    assert netlab.left() == []


@pytest.mark.parametrize("torn", ['{"step": "veth", "opera', "\x00\x00\x00", '{"done": "ve', "é"])
def test_a_torn_last_line_was_never_acted_on(netlab: Netlab, torn: str) -> None:
    netlab.apply("--until", "namespaces")
    with journal(netlab).open("a") as file:
        file.write(torn)
    netlab.apply("--until", "veth")
    assert netlab.states()["veth"] == "done"
    netlab.undo()
    assert netlab.left() == []


def test_the_journal_says_what_netlab_did_and_no_more(netlab: Netlab) -> None:
    netlab.type("ip netns add container1")
    netlab.apply()
    entries = [json.loads(line) for line in journal(netlab).read_text().splitlines()]
    assert len([each for each in entries if "operation" in each]) == len(OPERATIONS) - 1


# --- servers ---------------------------------------------------------------------------------------------------------


def record(netlab: Netlab, container: str) -> Path:
    (path,) = (netlab.base / "default/services").glob(f"{container}-*/record")
    return path


def test_a_reused_pid_is_never_killed(netlab: Netlab) -> None:
    """The record names a process that lives, with another start time than the server's."""
    netlab.apply("--until", "web")
    netlab.type(
        "sleep 600 </dev/null >/dev/null 2>&1 & echo $! >pid",
        "while ! grep -q sleep /proc/$(cat pid)/comm; do sleep 0.02; done",
    )
    victim = netlab.type("cat pid").strip()
    path = record(netlab, "container1")
    server, _, rest = path.read_text().partition(" ")
    path.write_text(f"{victim} {rest}")
    netlab.type(
        f"kill {server}", f"while [ -d /proc/{server} ]; do sleep 0.02; done"
    )  # it has ended, and its pid was given away
    netlab.undo()
    assert netlab.type(f"cat /proc/{victim}/comm") == "sleep\n"


def test_a_server_runs_where_nobody_else_can_lend_it_anything(netlab: Netlab) -> None:
    planted = netlab.home / "work/http"
    planted.mkdir()
    for name in ("__init__.py", "server.py"):
        (planted / name).write_text("open('/dev/null/planted')")
    netlab.apply("--until", "web")
    page = netlab.type("curl -s http://172.168.1.11/")
    assert "Hello from container1" in page
    assert netlab.type("curl -s -o /dev/null -w '%{http_code}' http://172.168.1.11/http/") == "404"
    server = record(netlab, "container1").read_text().split()[0]
    assert netlab.type(f"readlink /proc/{server}/cwd").startswith(str(netlab.base / "default/services"))
    environment = netlab.type(f"tr '\\0' '\\n' </proc/{server}/environ | cut -d= -f1").split()
    ours = {name for name in environment if not name.startswith("COVERAGE")}
    assert ours <= {"LC_ALL", "OLDPWD", "PATH", "PWD", "SHLVL", "_"}


def test_the_servers_outlive_the_command_and_go_with_undo(netlab: Netlab) -> None:
    netlab("sandbox", "start")
    netlab.apply("--until", "web")
    assert netlab.type("pgrep -fc 'http.server 80$'") == "2\n"
    assert [each for each in netlab.undo().ran if each.startswith("server")] == [
        "server on port 80 in container2", "server on port 80 in container1"
    ]  # fmt: skip
    netlab.type("! pgrep -f 'http.server 80$'")


def test_a_strangers_listener_is_a_conflict_and_is_never_stopped(netlab: Netlab) -> None:
    netlab.apply("--until", "gateway")
    netlab.type(
        "listen='import socket, time; s = socket.create_server((\"\", 80)); time.sleep(600)'",
        'ip netns exec container1 python3 -c "$listen" </dev/null >/dev/null 2>&1 &',
        "until ip netns exec container1 ss -ltn | grep -q :80; do sleep 0.02; done",
    )
    done = netlab("apply", "--until", "web", code=4)
    assert "something else listens on port 80 in container1" in done.err
    netlab.undo("--from", "web")
    assert netlab.type("ip netns exec container1 ss -ltn | grep -c :80") == "1\n"


def test_a_folder_of_the_kind_run_is_not_needed(netlab: Netlab) -> None:
    """The state folder is the only thing on disk: netlab leaves nothing in /tmp, /run or the person's folder."""
    before = {folder: sorted(os.listdir(folder)) for folder in ("/run", netlab.home / "work")}
    netlab.apply()
    assert {folder: sorted(os.listdir(folder)) for folder in before} == before
    netlab.undo()
    until(lambda: netlab.left() == [])
