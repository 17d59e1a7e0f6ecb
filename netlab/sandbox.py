"""The disposable lab host: namespaces of our own, held by one sleeping process, made, entered, and ended.

Nothing in it needs root: with a user namespace we have every right inside, and none outside. Root needs none and makes
none. The holder is PID 1 in there: when it goes, everything inside goes with it.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, TypeVar

from netlab import linux, signals
from netlab.errors import Interrupted, Missing, NetlabError, Unreadable, UnsafeState
from netlab.machine import Machine
from netlab.programs import program
from netlab.userns import refusal

T = TypeVar("T")

MARK = "NETLAB_SANDBOX"
"""In the holder's environment, with its state folder as value: a holder whose folder is gone can still be found."""

INSIDE = Path("/run/netlab-sandbox")
"""A file that only a sandbox's own /run has."""

_STOPPING = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
"""What a terminal stops processes with."""

_PATIENCE = 20.0
"""Seconds within which a killed holder ends. Who waits for one that died in there, and is stopped, holds it up."""

_END = "end the sandbox, whole: `netlab sandbox end`"

_KINDS = {"user": linux.CLONE_NEWUSER, "mnt": linux.CLONE_NEWNS, "net": linux.CLONE_NEWNET, "pid": linux.CLONE_NEWPID}


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds a sandbox: pid and start time tell it from any other, in this boot and no other."""

    pid: int
    started: int
    netns: int
    """Its network namespace's inode number."""
    boot: str
    pidns: int
    """The inode number of the PID namespace in which ``pid`` is its pid."""

    @property
    def alive(self) -> bool:
        """Is it still this process, and not another with its pid? Raises UnsafeState where that cannot be told."""
        if self.boot != _boot():
            return False
        if self.pidns != os.stat("/proc/self/ns/pid").st_ino:
            raise UnsafeState(
                f"the sandbox was made in another PID namespace, where its holder is process {self.pid}",
                hint="run netlab there; or, where it is gone, forget the sandbox: `netlab sandbox end`",
            )
        try:
            return Holder.of(self.pid) == self
        except (FileNotFoundError, ProcessLookupError):
            return False
        except OSError as error:
            raise UnsafeState(f"the sandbox's holder, process {self.pid}, cannot be looked at: {error}") from error

    @classmethod
    def of(cls, pid: int) -> Holder:
        """What identifies the process ``pid`` now. Raises OSError where there is none, or it is not ours."""
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        if fields[0] in ("Z", "X"):
            raise ProcessLookupError(pid)
        netns, pidns = os.stat(f"/proc/{pid}/ns/net").st_ino, os.stat("/proc/self/ns/pid").st_ino
        return cls(pid, int(fields[19]), netns, _boot(), pidns)

    @classmethod
    def load(cls, record: dict[str, Any]) -> Holder:
        """What ``dump`` wrote. Raises Unreadable for anything else."""
        try:
            holder = cls(**record)
        except TypeError as error:
            raise Unreadable(f"the record of the sandbox's holder cannot be understood: {error}", hint=_END) from error
        if not all(isinstance(each, int) for each in (holder.pid, holder.started, holder.netns, holder.pidns)):
            raise Unreadable("the record of the sandbox's holder cannot be understood", hint=_END)
        return holder

    def dump(self) -> dict[str, Any]:
        return asdict(self)


def inside() -> bool:
    """Does this process run in a sandbox? Pids and users mean something else in there."""
    return INSIDE.exists()


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


# --- made ------------------------------------------------------------------------------------------------------------


def start(folder: Path, keep: Callable[[Holder], None]) -> Holder:
    """Make the namespaces and their holder. ``keep`` writes the holder down before it stays: none is ever forgotten.

    Raises Missing where user namespaces are refused, naming the setting and both ways on.
    """
    answers, answering = os.pipe()
    waiting, going = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        with signals.blocked():
            maker = os.fork()
            if maker == 0:
                os.close(answers)
                os.close(going)
                _make(folder, answering, waiting)
            os.close(answering)
            os.close(waiting)
        with os.fdopen(answers) as said:
            words = [json.loads(line) for line in said]
        os.waitpid(maker, 0)
        answer = {key: value for word in words for key, value in word.items()}
        if "errno" in answer:
            raise refusal(answer["errno"], answer["step"], Machine())
        if "ready" not in answer:
            raise Missing("the sandbox could not be made: its holder ended at once", details=(json.dumps(words),))
        holder = Holder.of(answer["pid"])
        keep(holder)
        os.write(going, b"go")
    finally:
        os.close(going)
    return holder


def _make(folder: Path, answering: int, waiting: int) -> NoReturn:
    """In the maker: into new namespaces, and fork the holder into the PID namespace as its first process."""

    def say(**word: object) -> None:
        os.write(answering, json.dumps(word).encode() + b"\n")

    step = "start"
    try:
        os.setsid()
        uid, gid = os.getuid(), os.getgid()
        flags = linux.CLONE_NEWNS | linux.CLONE_NEWNET | linux.CLONE_NEWPID
        if not linux.has_sys_admin():
            step = "unshare"
            linux.unshare(linux.CLONE_NEWUSER)
            step = "map"
            # Our own ids and no others, and not root's: root's tcpdump becomes somebody else, which nobody here can.
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{uid or 1} {uid} 1")
            Path("/proc/self/gid_map").write_text(f"{gid or 1} {gid} 1")
        step = "namespaces"
        linux.unshare(flags)
        holder = os.fork()
        if holder:
            say(pid=holder)
            os._exit(0)
        for step, setup in _SETUP.items():  # noqa: B007 the except clause below reports it
            setup(folder)
        say(ready=True)
        os.close(answering)
        if os.read(waiting, 2) != b"go":
            os._exit(1)
        _hold(folder)
    except OSError as error:
        say(errno=error.errno, step=step)
    except BaseException as error:
        say(errno=0, step=f"{step}: {error!r}")
    os._exit(1)


def _mount_run(folder: Path) -> None:
    """A /run of our own, so that `ip netns` names are private. A state folder in the machine's stays in sight."""
    state = os.open(folder, os.O_PATH | os.O_DIRECTORY) if folder.is_relative_to("/run") else None
    linux.mount("none", "/", "", linux.MS_REC | linux.MS_SLAVE)
    linux.mount("tmpfs", "/run", "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, "mode=755")
    Path("/run/netns").mkdir(mode=0o755)
    INSIDE.touch()
    if state is not None:
        folder.mkdir(parents=True)
        linux.mount(f"/proc/self/fd/{state}", str(folder), "", linux.MS_BIND)
        os.close(state)


def _mount_proc(folder: Path) -> None:
    safe = linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC
    linux.mount("proc", "/proc", "proc", safe)
    # Where part of /sys is masked (in most containers) the kernel refuses a new one: then it shows the machine's cards.
    with contextlib.suppress(OSError):
        linux.mount("sysfs", "/sys", "sysfs", safe)


def _mount_etc(folder: Path) -> None:
    """Hosts with our own name (a server that cannot look its name up waits ten seconds for it), and no name server."""
    name = socket.gethostname()
    texts = {"hosts": f"127.0.0.1 localhost {name}\n::1 localhost\n", "resolv.conf": ""}
    for file, text in texts.items():
        target = Path("/etc") / file
        if target.exists():
            own = Path("/run") / f"netlab-{file}"
            own.write_text(text)
            linux.mount(str(own), str(target), "", linux.MS_BIND)


_SETUP: dict[str, Callable[[Path], None]] = {"run": _mount_run, "proc": _mount_proc, "etc": _mount_etc}


def _hold(folder: Path) -> NoReturn:
    """Become the smallest process that stays: no open files, no terminal, and children that it need not wait for."""
    sleep = program("sleep")
    os.chdir("/")
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.closerange(3, 65536)  # the lab's lock among them
    signals.default()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # survives exec: the kernel reaps what ends in here
    os.execve(sleep, ["sleep", "infinity"], {MARK: str(folder)})


# --- entered ---------------------------------------------------------------------------------------------------------


def enter(holder: Holder, work: Callable[[], T]) -> T:
    """Run ``work`` in a child process inside the sandbox and return what it returns, or raise what it raises.

    What it returns must be picklable. Signals that reach this process are passed on. The child dies when we do.
    """
    outcome, reporting = os.pipe()

    def report() -> int:
        os.close(outcome)
        said = _outcome(work)
        with os.fdopen(reporting, "wb") as pipe:
            pipe.write(said)
        return 0

    with signals.blocked():
        child = _fork_inside(holder, report)
        os.close(reporting)
        with _passing_on(child) as (passed, woken), os.fdopen(outcome, "rb", buffering=0) as pipe:
            data = _read(pipe, woken)
            status = _waited(child, woken)
    if not data:
        raise Interrupted(f"the part of netlab inside the sandbox was ended ({status})", hint="run the command again")
    ok, value = pickle.loads(data)  # written by our own child, which nobody else can write for
    if not ok:
        raise value
    if passed:  # when the child had done its work already, and nobody was there to be interrupted
        raise signals.interrupted(passed[0])
    result: T = value
    return result


def foreground(
    holder: Holder, argv: Sequence[str], environment: Mapping[str, str], *, netns: str | None, shell: bool
) -> int:
    """Run a person's own command inside the sandbox, on their terminal, in ``netns`` (None: the lab host).

    A ``shell`` gets a process group of its own with the terminal: ours is not to be seen from in there, and it would
    fail to give the terminal back to it. Returns the exit code, 128 + N for signal N.
    """
    terminal = shell and os.isatty(0)

    def run() -> int:
        if terminal:
            os.setpgid(0, 0)
            _take_terminal()
        return become(argv, environment, netns=netns)

    try:
        with signals.blocked():
            child = _fork_inside(holder, run)
            with _passing_on(child) as (_, woken):
                return _waited(child, woken)
    finally:
        if terminal:
            _take_terminal()


def become(argv: Sequence[str], environment: Mapping[str, str], *, netns: str | None) -> int:
    """Become a person's own command, in ``netns``. Returns only when that cannot be: with its exit code."""
    signals.default(signals.heeded())
    try:
        if netns is not None:
            _enter_netns(netns)
        os.execve(argv[0], list(argv), environment)
    except OSError as error:
        sys.stderr.write(f"netlab: {argv[0]}: {error.strerror}\n")
        return 127 if isinstance(error, FileNotFoundError) else 126


def _take_terminal() -> None:
    """Make our process group the one that the terminal talks to; who is not yet it, is stopped for trying otherwise."""
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.tcsetpgrp(0, os.getpgrp())
    signal.signal(signal.SIGTTOU, before)


def _enter_netns(name: str) -> None:
    """As `ip netns exec` does: the namespace, and a /sys that shows its cards; but where the kernel refuses us such a
    /sys (part of it is masked, as in most containers), go on without."""
    fd = os.open(f"/run/netns/{name}", os.O_RDONLY)
    linux.setns(fd, linux.CLONE_NEWNET)
    os.close(fd)
    linux.unshare(linux.CLONE_NEWNS)
    linux.mount("none", "/", "", linux.MS_REC | linux.MS_SLAVE)
    with contextlib.suppress(OSError):
        linux.mount("sysfs", "/sys", "sysfs", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)


def _outcome(work: Callable[[], object]) -> bytes:
    """(True, result) or (False, error), pickled. The boundary of the child: nothing passes it but through here."""
    try:
        signals.catch()  # in here: what has waited for it is an answer, too
        said = pickle.dumps((True, work()))
    except (NetlabError, OSError) as error:
        said = pickle.dumps((False, error))
        if isinstance(error, Interrupted):
            signals.unstick()
    except Exception:
        said = pickle.dumps((False, RuntimeError(traceback.format_exc())))
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError as error:
            said = pickle.dumps((False, error))
    return said


def _fork_inside(holder: Holder, run: Callable[[], int]) -> int:
    """Fork a child that joins the sandbox, runs ``run`` inside its PID namespace, and exits with what it returns.

    Signals are to be blocked; ``run`` says what they do in there, and unblocks them.
    """
    signals.check()
    fds = {kind: os.open(f"/proc/{holder.pid}/ns/{kind}", os.O_RDONLY) for kind in _KINDS}
    if not holder.alive:  # looked at after the files were opened, so these are its namespaces
        raise NetlabError("the sandbox has just ended", hint="run the command again")
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        # Nothing may get out of here: it would go on in the parent's code, with the parent's locks.
        code = 1
        try:
            code = _joined(fds, run)
        except OSError as error:
            sys.stderr.write(f"netlab: the sandbox cannot be entered: {error}\n")
            sys.stderr.flush()
        finally:
            os._exit(code)
    for fd in fds.values():
        os.close(fd)
    return child


def _joined(fds: Mapping[str, int], run: Callable[[], int]) -> int:
    parent, here = os.getppid(), _current_folder()
    own_user = os.stat("/proc/self/ns/user").st_ino == os.fstat(fds["user"]).st_ino
    for kind, fd in fds.items():
        if kind != "user" or not own_user:  # one's own user namespace cannot be joined again
            linux.setns(fd, _KINDS[kind])
        os.close(fd)
    linux.die_with_parent(signal.SIGKILL)
    if os.getppid() != parent:
        return 1
    if os.geteuid() != 0:  # root's programs have it all anyway, and before kernel 4.3 nothing can be raised
        linux.raise_ambient()
    middle = os.getpid()
    # Ctrl-Z is for the worker. Were we stopped too, nobody could wait for it, and the sandbox could not end.
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _STOPPING}
    worker = os.fork()  # only a child gets into the PID namespace
    if worker == 0:
        for number, handler in before.items():
            signal.signal(number, handler)
        linux.die_with_parent(signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.chdir(here)
        os._exit(run() if os.getppid() in (0, middle) else 1)
    with _passing_on(worker) as (_, woken):
        return _waited(worker, woken)


def _current_folder() -> str:
    """Where we are; "/" where that folder has been removed."""
    try:
        return os.getcwd()
    except OSError:
        return "/"


@contextlib.contextmanager
def _passing_on(child: int) -> Iterator[tuple[list[int], int]]:
    """While we wait for ``child``, what asks us to end asks it, also what was blocked until now; the list has it then.

    It gets a terminal's Ctrl-C by itself, too. Python runs a handler only when the call that it is in returns, and a
    signal that comes just before a call does not cut it short: whoever waits here, waits for the descriptor, too, which
    can be read when a signal has come.
    """
    passed: list[int] = []

    def pass_on(number: int, frame: FrameType | None) -> None:
        passed.append(number)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    woken, waking = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    wakened = signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
    before = {number: signal.signal(number, pass_on) for number in signals.heeded()}
    before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signals.unblock()
    try:
        yield passed, woken
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakened)
        os.close(woken)
        os.close(waking)


def _read(pipe: io.RawIOBase, woken: int) -> bytes:
    """All that comes until its writers have ended."""
    data = bytearray()
    while True:
        ready = _ready(pipe.fileno(), woken)
        if woken in ready:
            os.read(woken, 1024)
        if pipe.fileno() in ready:
            some = pipe.read(1 << 16)
            if not some:
                return bytes(data)
            data += some


def _waited(child: int, woken: int) -> int:
    """The child's exit code, 128 + N for signal N."""
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        _ready(woken)
        os.read(woken, 1024)
    status = os.waitstatus_to_exitcode(ended[1])
    return status if status >= 0 else 128 - status


def _ready(*fds: int) -> set[int]:
    """Wait until one of them can be read; those that can."""
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    return {fd for fd, _ in poll.poll()}


# --- ended -----------------------------------------------------------------------------------------------------------


def others() -> list[int]:
    """Inside: pids of processes that are neither the holder, nor us, nor started by us, and that stay.

    What a netlab that was killed has started may just be ending.
    """
    until = time.monotonic() + 0.5
    while (found := _strangers()) and time.monotonic() < until:
        time.sleep(0.02)
    return found


def _strangers() -> list[int]:
    ours = os.getpid()
    pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]
    return [pid for pid in pids if pid not in (1, ours) and words(pid) and ours not in _ancestors(pid)]


def words(pid: int) -> str:
    """A process's command line, for people; "" for one that has ended or is the kernel's."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return ""


def _ancestors(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        while pid > 1:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
            found.append(pid)
    return found


def end(holder: Holder) -> None:
    """End the sandbox and wait until its holder, and with it everything inside, is gone.

    Raises UnsafeState where it does not go, for somebody's sake who is stopped.
    """
    while holder.alive:
        os.kill(holder.pid, signal.SIGKILL)
        time.sleep(0.005)
    # It gives its namespaces up, and so is none of ours, before it has waited for those inside.
    until = time.monotonic() + _PATIENCE
    while holder.boot == _boot() and _runs(holder):
        if time.monotonic() > until:
            raise UnsafeState(
                f"the sandbox does not end: its holder, process {holder.pid}, was killed, and waits for who is inside",
                details=[f"stopped is process {pid}: {words(pid)[:100]}" for pid in _stopped()],
                hint="let what is stopped go on (fg, or kill -CONT), or kill it; then run the command again",
            )
        time.sleep(0.005)


def _stopped() -> Iterator[int]:
    """Processes that stand still."""
    for path in Path("/proc").glob("[1-9]*"):
        with contextlib.suppress(OSError):
            if (path / "stat").read_text().rpartition(")")[2].split()[0] == "T":
                yield int(path.name)


def _runs(holder: Holder) -> bool:
    """Is there still a process of this pid and start time, and not only its remains?"""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{holder.pid}/stat").read_text().rpartition(")")[2].split()
        return fields[0] not in ("Z", "X") and int(fields[19]) == holder.started
    return False


def strays() -> Iterator[tuple[Path, Holder]]:
    """Holders of ours, each with the state folder that it was made for, whether that still exists or not."""
    for path in Path("/proc").iterdir():
        if not path.name.isdecimal():
            continue
        with contextlib.suppress(OSError):
            if path.stat().st_uid != os.getuid():
                continue
            for entry in (path / "environ").read_bytes().split(b"\0"):
                name, _, value = entry.partition(b"=")
                if name == MARK.encode():
                    yield Path(os.fsdecode(value)), Holder.of(int(path.name))
