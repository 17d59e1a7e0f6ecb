"""Runs many jobs in many namespaces, one after the other: what a shell does with nsenter, in two thirds of the time.

A program of its own, started as `python -I -S runner.py FILE`, that imports nothing of netlab. It enters each namespace
itself and then starts the one program; a shell starts nsenter, which then has to become that program. /run/netns is
hidden from what it starts: `ip` would open all of it for each link that it shows.
"""

import contextlib
import ctypes
import marshal
import os
import sys
import time
from collections.abc import Mapping

NETNS = "/run/netns/"
CLONE_NEWNS, CLONE_NEWNET = 0x20000, 0x40000000  # as in netlab.linux, which takes ten times as long to import
MS_REC, MS_SLAVE = 0x4000, 0x80000

_libc = ctypes.CDLL(None, use_errno=True)


def main(path: str) -> None:
    """Run what ``processes`` wrote to ``path``: token, chain, environment, and lanes of (argv, namespace, stdin)."""
    file = os.open(path, os.O_RDWR)
    token, chain, environment, lanes = marshal.loads(os.read(file, os.fstat(file).st_size))
    spaces = {"": os.open("/proc/self/ns/net", os.O_RDONLY)}
    for name in {name for lane in lanes for _, name, _ in lane if name}:
        with contextlib.suppress(OSError):
            spaces[name] = os.open(NETNS + name, os.O_RDONLY)
    _call("unshare", CLONE_NEWNS)
    _call("mount", b"none", b"/", b"", MS_REC | MS_SLAVE, b"")
    _call("mount", b"none", NETNS.encode(), b"tmpfs", 0, b"")
    number = 0
    for lane in lanes:
        going = True
        for argv, name, stdin in lane:
            if going:
                for fd in (1, 2):
                    os.write(fd, f"\036{token} {number}\n".encode())
                begun = time.monotonic()
                _rewrite(file, stdin.encode())
                code = _run(argv, spaces.get(name), file, environment)
                os.write(1, f"\035{token} {code} {begun:.6f} {time.monotonic():.6f}\n".encode())
                going = code == 0 or not chain
            number += 1


def _rewrite(file: int, text: bytes) -> None:
    """Put what a job reads into the file that its script came in, and that nobody needs any more."""
    os.ftruncate(file, 0)
    os.pwrite(file, text, 0)
    os.lseek(file, 0, os.SEEK_SET)


def _run(argv: tuple[str, ...], space: int | None, stdin: int, environment: Mapping[str, str]) -> int:
    """Run one program in a namespace and return its exit code, as a shell does: 128 + N when signal N killed it."""
    if space is None or _libc.setns(space, CLONE_NEWNET) != 0:
        os.write(2, b"cannot enter the network namespace\n")
        return 1
    try:
        child = os.posix_spawn(argv[0], argv, environment, file_actions=[(os.POSIX_SPAWN_DUP2, stdin, 0)])
    except OSError as error:
        os.write(2, f"{argv[0]}: {error.strerror}\n".encode())
        return 127
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code if code >= 0 else 128 - code


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


if __name__ == "__main__":
    main(sys.argv[1])
