"""The sandbox: it survives its maker, dies whole, stands beside others, ends when it should, and leaves nothing."""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
import select
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

from netlab import linux, sandbox, signals
from netlab.errors import Interrupted, Missing, NetlabError, UnsafeState, UsageError
from netlab.sandbox import Holder
from tests.kernel.runner import COMMAND, NODES, Netlab, processes_of, runs, until
from tests.kernel.tutorial import STEPS
from tests.toy import TOY

pytestmark = pytest.mark.kernel


def said(netlab: Netlab, *words: str, code: int = 0) -> str:
    """What a command says on stderr, when it has nothing for stdout."""
    done = netlab(*words, code=code)
    return done.err


# --- made and ended --------------------------------------------------------------------------------------------------


def test_undo_ends_what_apply_made(netlab: Netlab) -> None:
    netlab.apply("--until", "nat")
    assert "sandbox 'default' is as it was when `apply` made it, and has ended" in said(netlab, "undo")
    assert netlab.left() == []
    assert "there is no lab in sandbox 'default': nothing to undo" in said(netlab, "undo")
    assert netlab.left() == []


def test_undo_of_a_part_ends_nothing(netlab: Netlab) -> None:
    netlab.apply("--until", "bridge")
    netlab.undo("--from", "veth")
    assert len(netlab.holders()) == 1


def test_undo_does_not_end_what_sandbox_start_made(netlab: Netlab) -> None:
    netlab("sandbox", "start")
    assert "is there already" in said(netlab, "sandbox", "start")
    netlab.apply("--until", "bridge")
    netlab.undo()
    assert len(netlab.holders()) == 1
    assert "sandbox 'default' has ended" in said(netlab, "sandbox", "end")
    assert netlab.left() == []
    assert "there is no sandbox 'default'" in said(netlab, "sandbox", "end")


@pytest.mark.parametrize(
    ("typed", "back"),
    [
        ("ip netns add mine", "ip netns del mine"),
        ("sysctl -q net.ipv4.ip_default_ttl=65", "sysctl -q net.ipv4.ip_default_ttl=64"),
        ("sleep 600 </dev/null >/dev/null 2>&1 &", "pkill sleep"),
    ],
)
def test_undo_does_not_end_what_holds_something_of_the_users(netlab: Netlab, typed: str, back: str) -> None:
    netlab.apply("--until", "namespaces")
    netlab.type(typed)
    netlab.undo()
    assert len(netlab.holders()) == 1
    netlab.type(back)
    netlab.undo()
    assert netlab.left() == []


def test_why_it_stays_is_one_line(netlab: Netlab) -> None:
    netlab.apply("--until", "namespaces")
    netlab.type("iptables -P FORWARD DROP")  # several differences at once: with the policy came three chains
    told = netlab("undo").err
    assert "for it is not as it started: host: iptables" in told
    assert "\\n" not in told
    netlab("sandbox", "end")


def test_exec_makes_one_that_stays(netlab: Netlab) -> None:
    netlab.type("true")
    netlab.undo()
    assert [(each["name"], each["state"], each["made_by"]) for each in netlab.json("sandbox", "list")["sandboxes"]] == [
        ("default", "alive", "exec")
    ]


@pytest.mark.parametrize("words", [["plan"], ["status"], ["undo"], ["steps"], ["sandbox", "list"], ["sandbox", "end"]])
def test_looking_makes_none(netlab: Netlab, words: list[str]) -> None:
    netlab(*words)
    assert netlab.left() == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["prove"], 1),
        (["snapshot"], 2),
        (["exec", "nowhere", "--", "true"], 2),
        (["apply", "--until", "nowhere"], 2),
    ],
)
def test_nor_does_what_goes_wrong(netlab: Netlab, words: list[str], code: int) -> None:
    netlab(*words, code=code)
    if words[0] != "exec":
        assert netlab.left() == []


def test_after_its_end_nothing_is_left(netlab: Netlab) -> None:
    """No process of any kind, no mount, no file: the machine's own network is watched by the whole run."""
    mounts = Path("/proc/self/mountinfo").read_text()
    netlab.apply()
    inside = processes_of(netlab.holder())
    assert sorted(inside.values()) == ["python3", "python3", "sleep"]  # two servers and the holder
    netlab("sandbox", "end")
    assert [pid for pid in inside if runs(pid)] == []
    assert Path("/proc/self/mountinfo").read_text() == mounts
    assert netlab.left() == []


# --- its life --------------------------------------------------------------------------------------------------------


def test_it_survives_the_end_of_the_terminal(netlab: Netlab) -> None:
    words = [*COMMAND[1:], "apply", "--until", "veth", "--no-prove"]
    terminal = pexpect.spawn(COMMAND[0], words, env=netlab.environment, cwd=str(netlab.home), encoding="utf-8")
    terminal.expect(pexpect.EOF, timeout=60)
    terminal.close(force=True)  # the terminal hangs up
    assert terminal.exitstatus == 0
    stat = Path(f"/proc/{netlab.holder()}/stat").read_text().rpartition(")")[2].split()
    assert stat[4] == "0"  # no controlling terminal
    assert netlab.states()["veth"] == "done"


def test_the_holder_keeps_nothing_open(netlab: Netlab, tmp_path: Path) -> None:
    with (tmp_path / "open").open("w") as file:  # as a shell's `9>file` would hand it on
        words = [*COMMAND, "sandbox", "start"]
        subprocess.run(words, env=netlab.environment, check=True, capture_output=True, pass_fds=(file.fileno(),))
    holder = netlab.holder()
    opened = {os.readlink(path) for path in Path(f"/proc/{holder}/fd").iterdir()}
    assert opened == {"/dev/null"}
    assert os.readlink(f"/proc/{holder}/cwd") == "/"
    size = next(line for line in Path(f"/proc/{holder}/status").read_text().splitlines() if line.startswith("VmRSS"))
    assert int(size.split()[1]) < 4000
    environment = Path(f"/proc/{holder}/environ").read_bytes().rstrip(b"\0").split(b"\0")
    environment = [each for each in environment if not each.startswith(b"COVERAGE")]
    assert environment == [f"NETLAB_SANDBOX={netlab.base / 'default'}".encode()]


def test_a_killed_holder_is_told_and_all_starts_afresh(netlab: Netlab) -> None:
    netlab.apply("--until", "bridge")
    holder = netlab.holder()
    os.kill(holder, signal.SIGKILL)
    until(lambda: not netlab.holders())
    done = netlab.run("status", "--json")
    assert f"sandbox 'default' is gone: its holder, process {holder}, was killed or the machine restarted" in done.err
    assert {each["state"] for each in done.json["steps"]} == {"todo"}
    assert netlab.left() == []
    netlab.apply("--until", "namespaces")
    assert netlab.states()["namespaces"] == "done"


def test_a_killed_holder_is_replaced_by_the_next_apply(netlab: Netlab) -> None:
    netlab.apply("--until", "namespaces")
    os.kill(netlab.holder(), signal.SIGKILL)
    until(lambda: not netlab.holders())
    done = netlab.apply("--until", "namespaces")
    assert "is gone: its holder" in done.err
    assert len(done.ran) == 2


def test_a_holder_whose_folder_is_gone_is_found_and_ended(netlab: Netlab) -> None:
    netlab("sandbox", "start")
    shutil.rmtree(netlab.base / "default")
    assert [(each["name"], each["state"]) for each in netlab.json("sandbox", "list")["sandboxes"]] == [
        ("default", "orphan")
    ]
    assert "sandbox 'default' has ended" in said(netlab, "sandbox", "end")
    assert netlab.left() == []


def test_a_pid_is_not_enough(netlab: Netlab) -> None:
    """The record names a process that lives, but is another one: it is never touched."""
    netlab("sandbox", "start")
    (holder,) = netlab.holders()
    record = netlab.base / "default/sandbox.json"
    text = json.loads(record.read_text())
    victim = subprocess.Popen(["sleep", "600"])
    try:
        text["holder"]["pid"] = victim.pid
        record.write_text(json.dumps(text))
        assert "is gone: its holder" in said(netlab, "sandbox", "end")
        assert victim.poll() is None
    finally:
        victim.kill()
        victim.wait()
        if holder in netlab.holders():
            os.kill(holder, signal.SIGKILL)


def test_two_stand_side_by_side(netlab: Netlab) -> None:
    netlab.apply("--until", "bridge")
    netlab("--sandbox", "other", "apply", "--until", "namespaces", "--no-prove")
    netlab("exec", "--sandbox", "other", "host", "--", "ip", "link", "add", "br0", "type", "bridge")
    states = netlab.json("status", "--sandbox", "other")["steps"]
    assert {each["name"]: each["state"] for each in states}["bridge"] == "partial"
    assert netlab.states()["bridge"] == "done"
    assert [each["name"] for each in netlab.json("sandbox", "list")["sandboxes"]] == ["default", "other"]
    netlab("undo", "--sandbox", "other")
    assert netlab.states()["bridge"] == "done"


# --- what is in it ---------------------------------------------------------------------------------------------------


def test_its_surroundings(lab: Netlab) -> None:
    def addresses(node: str) -> set[str]:
        lines = lab.type("ip -o -4 addr show scope global", node=node).splitlines()
        return {f"{line.split()[1]} {line.split()[3]}" for line in lines}

    assert addresses("host") == {"ens33 192.168.0.10/24"}
    assert addresses("router") == {"lan 192.168.0.2/24", "wan 114.114.114.1/24"}
    assert addresses("client") == {"eth0 192.168.0.1/24"}
    assert addresses("internet") == {"eth0 114.114.114.114/24"}
    for node in ("router", "client", "internet"):
        assert "172.168.1" not in lab.type("ip route show table all", node=node)
    lab.type("ping -c 1 -W 2 114.114.114.114 && ping -c 1 -W 2 192.168.0.1")
    assert lab.type("ip netns list | cut -d' ' -f1 | sort").split() == sorted(NODES)


def test_its_hosts_and_name_servers(lab: Netlab) -> None:
    name = os.uname().nodename
    assert lab.type(f"getent ahostsv4 {name} | head -1").split()[0] == "127.0.0.1"
    assert lab.type("cat /etc/resolv.conf") == ""
    for node in ("host", "client"):
        begun = time.monotonic()
        lab.type("! getent hosts example.com", node=node)
        assert time.monotonic() - begun < 4.5, "a name server would be asked for five"


def test_it_sees_neither_the_machines_processes_nor_its_cards(lab: Netlab) -> None:
    assert lab.type("ls /sys/class/net").split() == ["ens33", "lo"]
    assert lab.type("ls /sys/class/net", node="client").split() == ["eth0", "lo"]
    assert lab.type("cat /proc/1/comm") == "sleep\n"
    assert {name for name in lab.type("ls /run").split() if not name.startswith("netlab-")} == {"netns"}


def test_tcpdump_works_in_it(lab: Netlab) -> None:
    seen = lab.type(
        "tcpdump -i ens33 -n -c 1 -w /run/packets icmp 2>/run/tcpdump &",
        "until grep -q listening /run/tcpdump; do sleep 0.02; done",
        "ping -c 1 -W 2 192.168.0.2 >/dev/null",
        "wait",
        "tcpdump -n -r /run/packets 2>/dev/null",
        "rm /run/packets /run/tcpdump",
    )
    assert "IP 192.168.0.10 > 192.168.0.2: ICMP echo request" in seen


# --- refused ---------------------------------------------------------------------------------------------------------


UNMOUNTING = """
mount --make-rprivate / && mount -t tmpfs none /run && mkdir /run/netns && ip netns add theirs
"$@" sandbox start
trap '"$@" sandbox end' EXIT
holder=$(sed 's/.*"pid": \\([0-9]*\\).*/\\1/' "$XDG_STATE_HOME/netlab/default/sandbox.json")
grep -c ' /run/netns/theirs ' "/proc/$holder/mountinfo"
umount /run/netns/theirs
! grep ' /run/netns/theirs ' "/proc/$holder/mountinfo"
"""
"""What plays the machine is another mount namespace, with one network namespace of its own."""


@pytest.mark.skipif(os.geteuid() != 0, reason="the root half: nobody else plays a machine whose folders are root's")
def test_a_namespace_that_the_machine_unmounts_is_not_held_by_it(netlab: Netlab) -> None:
    # Kernel 3.10 lets nobody delete the name of a namespace that is still mounted somewhere.
    done = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-euc", UNMOUNTING, "sh", *COMMAND],
        env=netlab.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="the root half: who is not root needs them")
def test_root_needs_no_ambient_capabilities(lab: Netlab) -> None:
    # Kernel 3.10 has none. Whoever is not root gets nowhere without.
    assert lab.type("grep CapAmb /proc/self/status") == "CapAmb:\t0000000000000000\n"


def test_a_list_has_what_it_can_tell(netlab: Netlab) -> None:
    """One that cannot be read, and what is none of netlab's, spoil no other."""
    netlab("sandbox", "start")
    netlab("sandbox", "start", "--sandbox", "spoilt")
    (netlab.base / "spoilt/sandbox.json").write_text("{")
    (netlab.base / "a file").touch()
    (netlab.base / "no name for one").mkdir()
    shutil.rmtree(netlab.base / "default")
    netlab("sandbox", "start")  # the one before is an orphan
    netlab("sandbox", "end", "--sandbox", "nowhere")
    shown = [(each["name"], each["state"]) for each in netlab.json("sandbox", "list")["sandboxes"]]
    assert shown == [("default", "alive"), ("spoilt", "unknown"), ("default", "orphan")]
    told = netlab("status", "--sandbox", "spoilt", code=4).err
    assert "`netlab sandbox end --sandbox spoilt`" in told
    for name in ("default", "spoilt"):
        assert f"sandbox '{name}' has ended" in said(netlab, "sandbox", "end", "--sandbox", name)
    assert netlab.json("sandbox", "list")["sandboxes"] == []
    (netlab.base / "a file").unlink()
    (netlab.base / "no name for one").rmdir()
    netlab.base.rmdir()


def test_what_was_made_in_a_pid_namespace_that_is_gone_can_be_forgotten(netlab: Netlab) -> None:
    netlab("sandbox", "start")
    path = netlab.base / "default/sandbox.json"
    record = json.loads(path.read_text())
    holder = netlab.holder()
    record["holder"]["pidns"] += 1
    path.write_text(json.dumps(record))
    assert "another PID namespace" in netlab("apply", code=4).err
    assert [each["state"] for each in netlab.json("sandbox", "list")["sandboxes"]] == ["unknown"]
    os.kill(holder, signal.SIGKILL)
    until(lambda: not runs(holder))
    told = said(netlab, "sandbox", "end")
    assert "sandbox 'default' is forgotten: the sandbox was made in another PID namespace" in told
    netlab.apply("--until", "namespaces")
    netlab.undo()
    assert netlab.left() == []


def test_who_only_looks_changes_no_parameter(netlab: Netlab) -> None:
    netlab("sandbox", "start")
    assert "br7" in netlab("plan", "--set", "bridge=br7").out
    assert "br0" in netlab("plan").out
    netlab.apply("--until", "bridge", "--set", "bridge=br7")
    assert "br7" in netlab.type("ip link")
    netlab("sandbox", "end")


def test_what_is_stopped_in_it_is_no_reason_not_to_end(netlab: Netlab) -> None:
    """Ctrl-Z in `netlab exec`, and then `sandbox end` from another terminal."""
    netlab("sandbox", "start")
    words = [*COMMAND[1:], "exec", "host", "--", "sleep", "955"]
    command = f"set -m; {shlex.join([COMMAND[0], *words])}; echo stopped; read answer"
    environment = {**netlab.environment, "TERM": "dumb"}
    terminal = pexpect.spawn("sh", ["-c", command], env=environment, cwd=str(netlab.home), encoding="utf-8")
    until(lambda: "sleep 955" in netlab.type("ps -eo args"))
    terminal.sendcontrol("z")
    terminal.expect("stopped", timeout=60)
    assert "has ended" in said(netlab, "sandbox", "end")
    assert netlab.left() == []
    terminal.close(force=True)


def test_who_is_stopped_on_the_way_in_is_named(holder: Holder, monkeypatch: pytest.MonkeyPatch) -> None:
    """By SIGSTOP, which nobody can ignore: who would have to wait for the one inside cannot."""
    ready, telling = os.pipe()

    def stays() -> None:
        os.write(telling, b"inside")
        time.sleep(600)

    child = os.fork()
    if child == 0:
        sandbox.enter(holder, stays)
        os._exit(0)
    os.read(ready, 20)
    middle = int(Path(f"/proc/{child}/task/{child}/children").read_text())
    os.kill(middle, signal.SIGSTOP)
    until(lambda: Path(f"/proc/{middle}/stat").read_text().rpartition(")")[2].split()[0] == "T")
    try:
        with monkeypatch.context() as patch:
            patch.setattr("netlab.sandbox.ended._PATIENCE", 0.5)
            with pytest.raises(UnsafeState, match="does not end") as caught:
                sandbox.end(holder)
        assert any(f"process {middle}:" in each for each in caught.value.details)
    finally:
        os.kill(middle, signal.SIGCONT)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    sandbox.end(holder)


# --- made and entered without the command line -----------------------------------------------------------------------


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[Holder]:
    """A sandbox of the test's own, that no netlab knows."""
    made = sandbox.start(tmp_path, lambda holder: None)
    yield made
    sandbox.end(made)


def killed_while_late(work: Callable[[], object], who: int, delayed: str = "fork") -> bytes:
    """Somebody works, and is killed while the process that was forked as number ``who`` is late: it sleeps first.

    Returns when that has ended, too: b"went on" where it left the work and went on in the code of who was killed.
    """
    gone, living = os.pipe()  # whoever is left holds its one end
    child = os.fork()
    if child == 0:
        os.close(gone)
        fork, tie, calls = os.fork, linux.die_with_parent, itertools.count(1)

        def late() -> None:
            os.write(living, b"late")
            time.sleep(0.5)

        def forked() -> int:
            number, pid = next(calls), fork()
            if number == who and pid == 0:
                late()
            return pid

        def tied(signal: int) -> None:
            if next(calls) == who:
                late()
            tie(signal)

        if delayed == "fork":
            os.fork = forked
        else:
            linux.die_with_parent = tied
        with contextlib.suppress(BaseException):
            work()
        os.write(living, b"went on")
        os._exit(0)
    os.close(living)
    assert os.read(gone, 20) == b"late"
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    ended, _, _ = select.select([gone], [], [], 60)
    assert ended, "it stays for ever"
    said = os.read(gone, 20)
    os.close(gone)
    return said


@pytest.mark.parametrize("delayed", ["fork", "die_with_parent"])
@pytest.mark.parametrize("who", [1, 2], ids=["who goes in", "who works inside"])
def test_who_is_killed_leaves_nobody_that_was_not_tied_to_it_yet(holder: Holder, who: int, delayed: str) -> None:
    """Each of the two that are forked is late in turn: before it does anything, and before it is tied."""
    assert killed_while_late(lambda: sandbox.enter(holder, lambda: time.sleep(600)), who, delayed) == b""


@pytest.mark.usefixtures("holder")
@pytest.mark.parametrize("who", [1, 2], ids=["who makes it", "who holds it"])
def test_who_is_killed_while_it_makes_one_leaves_nobody_that_goes_on(tmp_path: Path, who: int) -> None:
    assert killed_while_late(lambda: sandbox.start(tmp_path, lambda holder: None), who) == b""


@pytest.mark.usefixtures("holder")
def test_who_cannot_be_written_down_does_not_stay(tmp_path: Path) -> None:
    made: list[Holder] = []

    def refused(holder: Holder) -> None:
        made.append(holder)
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        sandbox.start(tmp_path, refused)
    until(lambda: not made[0].alive)


@pytest.mark.usefixtures("holder")
def test_one_that_ends_at_once_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ended_at_once(folder: Path, answering: int, waiting: int) -> None:
        os.write(answering, b'{"pid": 12}\n')
        os._exit(1)

    monkeypatch.setattr("netlab.sandbox.made._make", ended_at_once)
    with pytest.raises(Missing, match="its holder ended at once") as caught:
        sandbox.start(tmp_path, lambda holder: pytest.fail("there is none to keep"))
    assert caught.value.details == ('[{"pid": 12}]',)


def nothing() -> None:
    raise FileNotFoundError(errno.ENOENT, "is not there", "/nowhere")


def said_no() -> None:
    raise UsageError("no", hint="yes")


def ended() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


RAISED: dict[str, tuple[Callable[[], object], type[Exception], str]] = {
    "what netlab can explain": (said_no, UsageError, "no"),
    "what the kernel says": (nothing, FileNotFoundError, "'/nowhere'"),
    "a mistake, with its place": (lambda: 1 // 0, RuntimeError, r"(?s)in _outcome.*ZeroDivisionError"),
    "what cannot be handed out": (lambda: threading.Lock(), RuntimeError, "cannot pickle"),
    "that it was killed": (ended, Interrupted, r"inside the sandbox was ended \(137\)"),
}


@pytest.mark.parametrize(("work", "kind", "text"), RAISED.values(), ids=RAISED)
def test_what_goes_wrong_inside_is_raised_outside(
    holder: Holder, work: Callable[[], object], kind: type[Exception], text: str
) -> None:
    with pytest.raises(kind, match=text):
        sandbox.enter(holder, work)


def test_who_was_interrupted_starts_nothing_inside(holder: Holder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody may have swallowed it."""
    monkeypatch.setattr(signals, "_arrived", [signal.SIGHUP])
    with pytest.raises(Interrupted, match="SIGHUP"):
        sandbox.enter(holder, os.getpid)
    with pytest.raises(Interrupted, match="SIGHUP"):
        sandbox.foreground(holder, ["/bin/sleep", "600"], {}, netns=None, shell=False)


class Stuck:
    """A stream that nobody reads."""

    def flush(self) -> None:
        time.sleep(600)


def test_what_is_interrupted_when_its_work_has_ended(holder: Holder) -> None:
    """A terminal's Ctrl-C comes to all of it, and is passed on besides: the second time it can only end."""

    def work() -> None:
        sys.stdout = Stuck()

    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    with pytest.raises(Interrupted, match="SIGTERM") as caught:
        sandbox.enter(holder, work)
    assert caught.value.code == 128 + signal.SIGTERM


def test_a_folder_that_is_gone_is_no_reason_not_to_enter(
    holder: Holder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    assert sandbox.enter(holder, os.getcwd) == str(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert sandbox.enter(holder, os.getcwd) == "/"


def test_what_has_just_ended_is_not_entered(holder: Holder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Holder, "alive", False)  # its files are opened first: then they are its own
    with pytest.raises(NetlabError, match=r"^the sandbox has just ended$"):
        sandbox.enter(holder, os.getpid)
    monkeypatch.undo()
    os.kill(holder.pid, signal.SIGKILL)
    until(lambda: not holder.alive)
    with pytest.raises((NetlabError, OSError), match=r"has just ended|No such"):
        sandbox.enter(holder, os.getpid)


def test_who_is_there_besides_us(holder: Holder) -> None:
    assert sandbox.enter(holder, sandbox.others) == []
    started = sandbox.enter(holder, lambda: subprocess.Popen(["sleep", "600"], start_new_session=True).pid)
    assert sandbox.enter(holder, lambda: [(pid, sandbox.words(pid)) for pid in sandbox.others()]) == [
        (started, "sleep 600")
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="the root half: nobody else can make a folder in /run")
def test_a_lab_whose_state_is_under_run(netlab: Netlab) -> None:
    """As that of somebody whose XDG_STATE_HOME is in /run/user: the sandbox has a /run of its own."""
    with tempfile.TemporaryDirectory(dir="/run") as own:
        netlab.environment["XDG_STATE_HOME"] = own
        netlab.base = Path(own) / "netlab"
        netlab.apply("--until", "veth")
        assert netlab.states()["veth"] == "done"
        assert netlab.type(f"ls {own}") == "netlab\n"
        assert netlab.type("ls -d /run/netns /run/netlab-sandbox").split() == ["/run/netlab-sandbox", "/run/netns"]
        netlab("sandbox", "end")
        assert netlab.left() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="the root half: nobody else has any to give up")
def test_root_without_its_rights_is_as_anybody_else(netlab: Netlab, tmp_path: Path) -> None:
    """As in most containers: root that may not mount makes a user namespace, as an ordinary user does."""
    for words in (["apply", "--until", "nat"], ["status"], ["undo"]):
        done = subprocess.run(
            ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", "--", *COMMAND, *words],
            env=netlab.environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    assert netlab.left() == []


REFUSING = """
echo 0 >/proc/sys/user/max_user_namespaces
mount -t tmpfs none "$0"
for each in /*; do
  if [ -L "$each" ]; then cp -P "$each" "$0$each"
  elif [ -d "$each" ]; then mkdir "$0$each" && mount --rbind "$each" "$0$each"; fi
done
mkdir -m 700 "$0/home-of-its-own"
cd "$0" && pivot_root . mnt && cd / && umount -l mnt
exec setpriv --bounding-set=-all --inh-caps=-all --ambient-caps=-all -- "$@"
"""
"""In a user namespace that allows no further one, which is that namespace's own setting; as somebody without any rights
there; and with a root folder of ours, for the machine's belongs to somebody who is not known in there."""


@pytest.mark.parametrize(
    "words", [["apply"], ["sandbox", "start"], ["exec", "host", "--", "true"], ["doctor"], ["course", "check"]]
)
def test_refused_namespaces_name_the_setting_and_both_ways_on(netlab: Netlab, tmp_path: Path, words: list[str]) -> None:
    root = tmp_path / "root"
    root.mkdir()
    become = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--keep-caps", "--mount"]
    environment = {**netlab.environment, "XDG_STATE_HOME": "/home-of-its-own"}
    done = subprocess.run(
        [*become, "sh", "-ec", REFUSING, str(root), *COMMAND, *words],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    talk = done.stdout + done.stderr
    assert done.returncode == 5, talk
    assert "user.max_user_namespaces is 0" in talk
    assert "sudo sysctl -w user.max_user_namespaces=15000; or run netlab as root (sudo netlab …)" in talk
    assert "Traceback" not in talk


# --- another course --------------------------------------------------------------------------------------------------


def test_a_course_of_ones_own(netlab: Netlab) -> None:
    applied = netlab("apply", "--course", TOY, "--json")
    assert applied.ran == ["bridge toy0", "toy0 up", "address 198.51.100.1/24 on toy0"]
    assert [each["ok"] for each in applied.proofs] == [True, True]
    assert netlab.states() == {"switch": "done", "address": "done"}  # every later command knows the course
    netlab.undo()
    assert netlab.left() == []


def test_undo_needs_no_course(netlab: Netlab, tmp_path: Path) -> None:
    course = tmp_path / "course"
    shutil.copytree(TOY, course, ignore=shutil.ignore_patterns("__pycache__"))
    netlab.apply("--course", course)
    shutil.rmtree(course)
    assert netlab.states() == {"switch": "done", "address": "done"}
    done = netlab.undo()
    assert done.ran == ["bridge toy0"]
    assert netlab.left() == []


def test_another_course_while_one_stands(netlab: Netlab) -> None:
    netlab("sandbox", "start")
    netlab.apply("--until", "namespaces")
    done = netlab("apply", "--course", TOY, code=2)
    assert str(TOY) in done.err
    assert netlab.states()["namespaces"] == "done"
    assert set(STEPS) == netlab.states().keys()
