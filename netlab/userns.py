"""Finds out whether this user may make namespaces, by trying, and explains a refusal: the setting, and both ways on."""

from __future__ import annotations

import errno as numbers
import os
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from netlab import linux
from netlab.errors import Missing
from netlab.machine import Machine

_PLENTY: Final = 15000


_STEPS: Final = {
    "unshare": "to make a user namespace",
    "map": "to map our own user into it",
    "namespaces": "to make network, mount and PID namespaces",
    "run": "to mount a /run of our own",
    "proc": "to mount a /proc of our own",
    "etc": "to mount an /etc/hosts of our own",
}
"""What the sandbox does when it is made, in this order, in words."""

_MOUNTS: Final = ("run", "proc", "etc")


class Refused(NamedTuple):
    """The first step that the kernel refused, and its errno."""

    errno: int
    step: str


class Cause(NamedTuple):
    """What stands behind a refusal, and what changes it. ``cure`` is a command, or words where no command can."""

    what: str
    cure: str


def attempt() -> Refused | None:
    """Make namespaces as the sandbox does, in a child that ends at once; None when nothing is refused.

    Root needs no user namespace. Forks, so call it before any thread is started.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _in_child(writer, os.getuid(), os.getgid())
    os.close(writer)
    with os.fdopen(reader, encoding="ascii") as answer:
        said = answer.read()
    os.waitpid(child, 0)
    number, _, step = said.partition(" ")
    return Refused(int(number), step) if step else None


def _in_child(writer: int, uid: int, gid: int) -> None:
    """Never returns. Answers with "ERRNO STEP", or with nothing when all went well."""
    try:
        refused = _first_refusal(uid, gid)
        if refused:
            os.write(writer, f"{refused.errno} {refused.step}".encode("ascii"))
    finally:
        os._exit(0)


def _first_refusal(uid: int, gid: int) -> Refused | None:
    for step, act in _steps(uid, gid):
        try:
            act()
        except OSError as error:
            return Refused(error.errno or numbers.EPERM, step)
    return None


def _steps(uid: int, gid: int) -> Iterator[tuple[str, Callable[[], object]]]:
    quiet = linux.MS_NOSUID | linux.MS_NODEV
    if not linux.has_sys_admin():
        yield "unshare", lambda: linux.unshare(linux.CLONE_NEWUSER)
        yield "map", lambda: _write("/proc/self/setgroups", "deny")
        yield "map", lambda: _write("/proc/self/uid_map", f"{uid} {uid} 1")
        yield "map", lambda: _write("/proc/self/gid_map", f"{gid} {gid} 1")
    yield "namespaces", lambda: linux.unshare(linux.CLONE_NEWNET | linux.CLONE_NEWNS | linux.CLONE_NEWPID)
    yield "run", lambda: linux.mount("none", "/", "", linux.MS_REC | linux.MS_SLAVE)
    yield "run", lambda: linux.mount("tmpfs", "/run", "tmpfs", quiet)
    yield "proc", lambda: _proc(quiet | linux.MS_NOEXEC)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def _proc(flags: int) -> None:
    """A PID namespace takes children only, and its proc can be mounted from inside it alone."""
    child = os.fork()
    if child == 0:
        try:
            linux.mount("proc", "/proc", "proc", flags)
        except OSError as error:
            os._exit(error.errno or numbers.EPERM)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code:
        raise OSError(abs(code), os.strerror(abs(code)))


def refusal(errno: int, step: str, machine: Machine) -> Missing:
    """The error for a refused namespace: what was refused, which setting does that here, and both ways on.

    ``step`` is the sandbox's own name for what it did just then: a key of the table above.
    """
    found = list(causes(errno, step, machine))
    details = [f"{_STEPS.get(step, step)}: {os.strerror(errno)}", *(cause.what for cause in found)]
    if not found:
        details.append(
            "none of the settings that are known to refuse it is on here; `dmesg` or the audit log may say more"
        )
    return Missing("namespaces of one's own are refused on this machine", details=details, hint=ways(found, machine))


def ways(found: list[Cause], machine: Machine) -> str:
    """Both ways on, in one line: change what refuses it, or be root (who needs no user namespace)."""
    ways_on = [cause.cure for cause in found]
    if machine.uid != 0:
        ways_on.append("run netlab as root (sudo netlab …)")
    return "; or ".join(ways_on) or "ask whoever runs this machine"


def causes(errno: int, step: str, machine: Machine) -> Iterator[Cause]:
    """What on ``machine`` explains ``errno`` at ``step`` (the sandbox's own name for it), most certain first."""
    if errno in (numbers.ENOSPC, numbers.EUSERS):
        yield from _limits(machine)
    elif errno in (numbers.EINVAL, numbers.ENOSYS):
        yield Cause(
            "this kernel is built without such namespaces (CONFIG_USER_NS, CONFIG_NET_NS)", _other_kernel(machine)
        )
    elif errno in (numbers.EPERM, numbers.EACCES):
        yield from _forbidden(step, machine)


def _limits(machine: Machine) -> Iterator[Cause]:
    kinds = ("user", "net", "mnt", "pid")
    limits = {f"user.max_{kind}_namespaces": machine.number(f"/proc/sys/user/max_{kind}_namespaces") for kind in kinds}
    closed = [name for name, limit in limits.items() if limit == 0]
    for name in closed:
        yield Cause(f"{name} is 0", machine.as_root(f"sysctl -w {name}={_PLENTY}"))
    if not closed:
        yield Cause(
            "all that this user may have are in use: " + ", ".join(f"{name} is {n}" for name, n in limits.items() if n),
            "end some (lsns lists them)",
        )


def _forbidden(step: str, machine: Machine) -> Iterator[Cause]:
    if machine.number("/proc/sys/kernel/unprivileged_userns_clone") == 0 and machine.uid != 0:
        name = "kernel.unprivileged_userns_clone"
        yield Cause(f"{name} is 0", machine.as_root(f"sysctl -w {name}=1"))
    if machine.number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1 and machine.uid != 0:
        # Ubuntu 24.04: the namespace is made, and everything one then does in it is refused.
        name = "kernel.apparmor_restrict_unprivileged_userns"
        yield Cause(f"{name} is 1", machine.as_root(f"sysctl -w {name}=0"))
    container = _container(machine)
    if container and step in _MOUNTS:
        yield Cause(
            f"this container ({container}) covers parts of /proc and /sys, or may not mount",
            "start the container with --security-opt systempaths=unconfined --security-opt apparmor=unconfined"
            " (or --privileged)",
        )
    elif container:
        filtered = ", with a seccomp filter" if _seccomp(machine) else ""
        yield Cause(
            f"this is a container ({container}){filtered}",
            "start the container with --security-opt seccomp=unconfined (or --privileged)",
        )
    elif _seccomp(machine):
        yield Cause("this process runs under a seccomp filter", "start netlab outside of it")


def _container(machine: Machine) -> str:
    """What kind of container this is, as far as it shows; "" for none."""
    if machine.path("/.dockerenv").exists():
        return "Docker"
    if machine.path("/run/.containerenv").exists():
        return "Podman"
    return machine.environ.get("container", "")


def _seccomp(machine: Machine) -> bool:
    """Mode 2 is a filter; proc(5), /proc/PID/status."""
    status = machine.text("/proc/self/status") or ""
    return any(line.split() == ["Seccomp:", "2"] for line in status.splitlines())


def _other_kernel(machine: Machine) -> str:
    return f"boot a kernel that has them (this is {machine.release})"
