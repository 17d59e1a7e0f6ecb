"""Refused namespaces in words: which setting it is, and both ways on."""

import errno
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from netlab import userns
from netlab.machine import Machine

ROOT = "run netlab as root (sudo netlab …)"
PROC = "proc/sys/kernel/"


def machine(root: Path, files: Mapping[str, str], uid: int = 1000, **environ: str) -> Machine:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Machine(root=root, uid=uid, environ=environ, release="3.10.0")


CASES: dict[str, tuple[int, str, dict[str, str], str, str]] = {
    "CentOS 7": (
        errno.ENOSPC,
        "unshare",
        {"proc/sys/user/max_user_namespaces": "0\n", "proc/sys/user/max_net_namespaces": "1000\n"},
        "user.max_user_namespaces is 0",
        f"sudo sysctl -w user.max_user_namespaces=15000; or {ROOT}",
    ),
    "no network namespaces": (
        errno.ENOSPC,
        "namespaces",
        {"proc/sys/user/max_user_namespaces": "1000\n", "proc/sys/user/max_net_namespaces": "0\n"},
        "user.max_net_namespaces is 0",
        f"sudo sysctl -w user.max_net_namespaces=15000; or {ROOT}",
    ),
    "all in use": (
        errno.ENOSPC,
        "unshare",
        {"proc/sys/user/max_user_namespaces": "3\n"},
        "all that this user may have are in use: user.max_user_namespaces is 3",
        f"end some (lsns lists them); or {ROOT}",
    ),
    "Ubuntu 24.04": (
        errno.EPERM,
        "map",
        {PROC + "apparmor_restrict_unprivileged_userns": "1\n", PROC + "unprivileged_userns_clone": "1\n"},
        "kernel.apparmor_restrict_unprivileged_userns is 1",
        f"sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0; or {ROOT}",
    ),
    "an older Debian": (
        errno.EPERM,
        "unshare",
        {PROC + "unprivileged_userns_clone": "0\n"},
        "kernel.unprivileged_userns_clone is 0",
        f"sudo sysctl -w kernel.unprivileged_userns_clone=1; or {ROOT}",
    ),
    "Docker": (
        errno.EPERM,
        "unshare",
        {".dockerenv": "", "proc/self/status": "Name:\tpython3\nSeccomp:\t2\n"},
        "this is a container (Docker), with a seccomp filter",
        f"start the container with --security-opt seccomp=unconfined (or --privileged); or {ROOT}",
    ),
    "Podman": (
        errno.EPERM,
        "unshare",
        {"run/.containerenv": "", "proc/self/status": "Seccomp:\t0\n"},
        "this is a container (Podman)",
        f"start the container with --security-opt seccomp=unconfined (or --privileged); or {ROOT}",
    ),
    "a container's covered /proc": (
        errno.EPERM,
        "proc",
        {".dockerenv": ""},
        "this container (Docker) covers parts of /proc and /sys, or may not mount",
        "start the container with --security-opt systempaths=unconfined --security-opt apparmor=unconfined"
        f" (or --privileged); or {ROOT}",
    ),
    "a service's filter": (
        errno.EPERM,
        "unshare",
        {"proc/self/status": "Seccomp:\t2\n"},
        "this process runs under a seccomp filter",
        f"start netlab outside of it; or {ROOT}",
    ),
    "a kernel without": (
        errno.EINVAL,
        "unshare",
        {},
        "this kernel is built without such namespaces (CONFIG_USER_NS, CONFIG_NET_NS)",
        f"boot a kernel that has them (this is 3.10.0); or {ROOT}",
    ),
    "no reason to be seen": (
        errno.EPERM,
        "unshare",
        {PROC + "unprivileged_userns_clone": "1\n"},
        "none of the settings that are known to refuse it is on here; `dmesg` or the audit log may say more",
        ROOT,
    ),
}


@pytest.mark.parametrize(("number", "step", "files", "cause", "hint"), CASES.values(), ids=CASES)
def test_refusal(tmp_path: Path, number: int, step: str, files: dict[str, str], cause: str, hint: str) -> None:
    error = userns.refusal(number, step, machine(tmp_path, files))
    assert error.code == 5
    assert error.message == "namespaces of one's own are refused on this machine"
    assert error.details[1:] == (cause,)
    assert error.hint == hint


def test_the_step_is_said_in_words(tmp_path: Path) -> None:
    here = machine(tmp_path, {})
    said = userns.refusal(errno.EPERM, "map", here).details[0]
    assert said == "to map our own user into it: Operation not permitted"
    assert userns.refusal(errno.EPERM, "something new", here).details[0].startswith("something new: ")


def test_both_settings_of_two_are_named(tmp_path: Path) -> None:
    files = {PROC + "apparmor_restrict_unprivileged_userns": "1", PROC + "unprivileged_userns_clone": "0"}
    hint = userns.refusal(errno.EPERM, "unshare", machine(tmp_path, files)).hint
    assert hint.count("sysctl -w") == 2


def test_root_is_not_told_to_become_root(tmp_path: Path) -> None:
    files = {PROC + "unprivileged_userns_clone": "0", "proc/self/status": "Seccomp:\t2\n"}
    error = userns.refusal(errno.EPERM, "namespaces", machine(tmp_path, files, 0, container="systemd-nspawn"))
    assert error.details[1:] == ("this is a container (systemd-nspawn), with a seccomp filter",)
    assert error.hint == "start the container with --security-opt seccomp=unconfined (or --privileged)"
    bare = userns.refusal(errno.EPERM, "namespaces", machine(tmp_path / "bare", {}, 0))
    assert bare.hint == "ask whoever runs this machine"


def attempt(setup: str) -> str:
    """What `attempt` answers in a process of its own, after ``setup``; that process must still be where it was."""
    code = f"""
import os
from netlab import linux, userns
{setup}
before = [os.readlink(f"/proc/self/ns/{{kind}}") for kind in ("user", "net", "mnt", "pid")]
print(userns.attempt())
assert before == [os.readlink(f"/proc/self/ns/{{kind}}") for kind in ("user", "net", "mnt", "pid")]
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert run.stderr == ""
    return run.stdout.strip()


MAP = """
uid, gid = os.getuid(), os.getgid()
linux.unshare(linux.CLONE_NEWUSER | linux.CLONE_NEWNS)
for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
    with open(f"/proc/self/{name}", "w") as file:
        file.write(text)
"""


def test_attempt() -> None:
    assert attempt("") == "None"


def test_attempt_where_no_more_namespaces_are_allowed() -> None:
    # A limit holds for a user namespace and all below it: so it can be set to 0 for real, in one of our own.
    closed = MAP + 'with open("/proc/sys/user/max_net_namespaces", "w") as file:\n    file.write("0")'
    assert attempt(closed) == f"Refused(errno={errno.ENOSPC}, step='namespaces')"


def test_attempt_where_proc_is_covered() -> None:
    # A mount over part of /proc counts when we could not take it off, for it was made in the user namespace above.
    covered = """
linux.mount("none", "/", "", linux.MS_REC | linux.MS_SLAVE)
linux.mount("tmpfs", "/proc/sys/user", "tmpfs", 0)
"""
    assert attempt(MAP + covered + MAP) == f"Refused(errno={errno.EPERM}, step='proc')"
