"""A sandbox is entered by a child process: for a part of netlab, or for a person's own command."""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import signal
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from netlab import linux, signals
from netlab.errors import Interrupted, NetlabError
from netlab.sandbox.attended import passing_on, read, waited
from netlab.sandbox.holder import Holder

T = TypeVar("T")

_STOPPING = (signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
"""What a terminal stops processes with."""

_KINDS = {"user": linux.CLONE_NEWUSER, "mnt": linux.CLONE_NEWNS, "net": linux.CLONE_NEWNET, "pid": linux.CLONE_NEWPID}


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
        with passing_on(child) as (passed, woken), os.fdopen(outcome, "rb", buffering=0) as pipe:
            data = read(pipe, woken)
            status = waited(child, woken)
    if not data and passed:  # it was told twice, as by a terminal, and could not say so any more
        raise signals.interrupted(passed[0])
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
            with passing_on(child) as (_, woken):
                return waited(child, woken)
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
    fds = dict[str, int]()
    try:
        for kind in _KINDS:
            fds[kind] = os.open(f"/proc/{holder.pid}/ns/{kind}", os.O_RDONLY)
        if not holder.alive:  # looked at after the files were opened, so these are its namespaces
            raise NetlabError("the sandbox has just ended", hint="run the command again")
        sys.stdout.flush()
        sys.stderr.flush()
        parent = os.getpid()
        child = os.fork()
        if child == 0:
            # Nothing may get out of here: it would go on in the parent's code, with the parent's locks.
            code = 1
            try:
                code = _joined(parent, fds, run)
            except OSError as error:
                sys.stderr.write(f"netlab: the sandbox cannot be entered: {error}\n")
                sys.stderr.flush()
            finally:
                os._exit(code)
        return child
    finally:
        for fd in fds.values():
            os.close(fd)


def _joined(parent: int, fds: Mapping[str, int], run: Callable[[], int]) -> int:
    here = _current_folder()
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
    # Open as long as we live: in there our pid cannot be seen, so this is what the worker knows it by.
    ours, living = os.pipe()
    # Ctrl-Z is for the worker. Were we stopped too, nobody could wait for it, and the sandbox could not end.
    before = {number: signal.signal(number, signal.SIG_IGN) for number in _STOPPING}
    worker = os.fork()  # only a child gets into the PID namespace
    if worker == 0:
        for number, handler in before.items():
            signal.signal(number, handler)
        linux.die_with_parent(signal.SIGKILL)
        os.close(living)
        if select.select([ours], [], [], 0)[0]:  # we had ended before it was tied to us
            os._exit(1)
        os.close(ours)
        with contextlib.suppress(OSError):
            os.chdir(here)
        os._exit(run())
    with passing_on(worker) as (_, woken):
        return waited(worker, woken)


def _current_folder() -> str:
    """Where we are; "/" where that folder has been removed."""
    try:
        return os.getcwd()
    except OSError:
        return "/"
