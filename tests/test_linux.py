"""The thin system calls: what they do is seen from outside, in processes of their own."""

import errno
import subprocess
import sys

import pytest

from netlab import linux


def inside(code: str) -> str:
    """What ``code`` prints in a process that has namespaces of its own."""
    prelude = """
import os
from netlab.linux import *
uid, gid = os.getuid(), os.getgid()
unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS)
for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
    open(f"/proc/self/{name}", "w").write(text)
"""
    run = subprocess.run(
        [sys.executable, "-c", prelude + code], capture_output=True, text=True, check=False, timeout=60
    )
    assert run.stderr == ""
    return run.stdout


def test_in_a_user_namespace_we_have_every_right() -> None:
    assert inside("print(has_sys_admin())") == "True\n"


def test_mount_and_the_rights_of_children() -> None:
    code = """
mount("none", "/", "", MS_REC | MS_SLAVE)
mount("tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=700")
raise_ambient()
os.execv("/bin/sh", ["sh", "-c", "stat -f -c %T /run; stat -c %a /run; grep -c '^CapEff:.*ff$' /proc/self/status"])
"""
    assert inside(code) == "tmpfs\n700\n1\n"


def test_setns_goes_where_the_file_leads() -> None:
    code = """
first = os.open("/proc/self/ns/net", os.O_RDONLY)
there = os.readlink("/proc/self/ns/net")
unshare(CLONE_NEWNET)
away = os.readlink("/proc/self/ns/net")
setns(first, CLONE_NEWNET)
print(away != there, os.readlink("/proc/self/ns/net") == there)
"""
    assert inside(code) == "True True\n"


def test_die_with_parent() -> None:
    code = """
import signal, time
reader, writer = os.pipe()
middle = os.fork()
if middle == 0:
    if os.fork() == 0:
        os.close(reader)
        die_with_parent(signal.SIGKILL)
        os.write(writer, b"ready")
        time.sleep(60)
        os._exit(0)
    os.close(writer)
    os.read(reader, 5)
    os._exit(0)
os.close(writer)
os.waitpid(middle, 0)
while os.read(reader, 5):  # ends when the orphan, which holds the other end, is gone
    pass
print("gone")
"""
    assert inside(code) == "gone\n"


def test_errors_carry_the_kernels_number() -> None:
    with pytest.raises(OSError, match="setns: ") as caught:
        linux.setns(-1, linux.CLONE_NEWNET)
    assert caught.value.errno == errno.EBADF
    with pytest.raises(OSError, match="mount: ") as caught:
        linux.mount("none", "/there/is/no/such/folder", "tmpfs", 0)
    assert caught.value.errno in (errno.ENOENT, errno.EPERM)
    assert caught.value.filename == "/there/is/no/such/folder"
    with pytest.raises(OSError, match="unshare: ") as caught:
        linux.unshare(-1)
    assert caught.value.errno == errno.EINVAL
