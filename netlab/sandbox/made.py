"""A sandbox is made: namespaces of our own, set up from within, and the one process that holds them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from netlab import linux, signals
from netlab.errors import Missing
from netlab.machine import Machine
from netlab.programs import program
from netlab.sandbox.holder import INSIDE, MARK, Holder
from netlab.userns import refusal


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
    finally:  # also where nobody is left to hear it: it would go on in the parent's code
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
