"""System calls that Python 3.11 has no name for: how the sandbox makes and enters namespaces without a helper program.

Each function is one call, raises ``OSError`` with the kernel's errno, and decides nothing.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Final

CLONE_NEWNS: Final = 0x00020000
CLONE_NEWUSER: Final = 0x10000000
CLONE_NEWPID: Final = 0x20000000
CLONE_NEWNET: Final = 0x40000000

MS_NOSUID: Final = 0x2
MS_NODEV: Final = 0x4
MS_NOEXEC: Final = 0x8
MS_BIND: Final = 0x1000
MS_REC: Final = 0x4000
MS_SLAVE: Final = 0x80000

_PR_SET_PDEATHSIG = 1
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_VERSION_3 = 0x20080522
_CAP_SYS_ADMIN = 21

_libc = ctypes.CDLL(None, use_errno=True)


class _CapHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapHalf(ctypes.Structure):
    """Thirty-two capabilities; the kernel's version 3 takes two of these."""

    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def unshare(flags: int) -> None:
    """Move this process into new namespaces (``CLONE_NEW…``); a new PID namespace takes its children only."""
    _check(_libc.unshare(ctypes.c_int(flags)), "unshare")


def setns(fd: int, flags: int) -> None:
    """Join the namespaces behind ``fd``: one namespace's file, or a pidfd (kernel 5.8) and every ``CLONE_NEW…`` wanted.

    A process with threads cannot join a user or mount namespace (EINVAL).
    """
    _check(_libc.setns(ctypes.c_int(fd), ctypes.c_int(flags)), "setns")


def mount(source: str, target: str, fstype: str, flags: int, data: str = "") -> None:
    """Mount ``source`` (or the file system ``fstype``) on ``target``; the error's ``filename`` is the target."""
    arguments = (os.fsencode(source), os.fsencode(target), os.fsencode(fstype) or None)
    result = _libc.mount(*arguments, ctypes.c_ulong(flags), os.fsencode(data) or None)
    _check(result, "mount", target)


def raise_ambient() -> None:
    """Let the programs that this process starts keep its permitted capabilities, though its user is not root.

    The kernel raises a capability as ambient only when it is inheritable too, so that comes first.
    """
    header = _CapHeader(_CAP_VERSION_3, 0)
    halves = (_CapHalf * 2)()
    _check(_libc.capget(ctypes.byref(header), halves), "capget")
    for half in halves:
        half.inheritable = half.permitted
    _check(_libc.capset(ctypes.byref(header), halves), "capset")
    permitted = halves[0].permitted | halves[1].permitted << 32
    for capability in range(64):
        if permitted >> capability & 1:
            _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)


def die_with_parent(signal: int) -> None:
    """Get ``signal`` when the thread that forked this process ends. A parent that is gone already sends nothing: see
    afterwards that ``os.getppid()`` is what it was called before the fork. Entering a user namespace or changing user
    clears it."""
    _prctl(_PR_SET_PDEATHSIG, signal, 0)


def has_sys_admin() -> bool:
    """Has this process CAP_SYS_ADMIN in effect? True for root and inside one's own user namespace."""
    for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
        key, _, value = line.partition(":")
        if key == "CapEff":
            return bool(int(value, 16) >> _CAP_SYS_ADMIN & 1)
    return False


def _prctl(option: int, second: int, third: int) -> None:
    rest = (ctypes.c_ulong(second), ctypes.c_ulong(third), ctypes.c_ulong(0), ctypes.c_ulong(0))
    _check(_libc.prctl(ctypes.c_int(option), *rest), "prctl")


def _check(result: int, call: str, filename: str | None = None) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}", filename)
