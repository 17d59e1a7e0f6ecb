"""A machine of the tests' own, for --host: it has an uplink, a second card and a gateway, and cannot hurt this one.

Run as a program it makes user, network, mount and PID namespaces, builds the machine's network in there, says the pids
of its first process and of the world outside, and ends with its standard input: everything in it ends then, too.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from netlab import linux

CARD, ADDRESS, GATEWAY, INTERNET = "enp0s3", "10.0.2.15", "10.0.2.2", "114.114.114.114"

_NETWORK = f"""
outside="nsenter --net=/proc/$1/ns/net"
ip link set lo up
ip link add {CARD} type veth peer name up0 netns $1
ip link add eth1 type veth peer name lan0 netns $1
for card in {CARD} eth1; do sysctl -q -w net.ipv6.conf.$card.disable_ipv6=1; ip link set $card up; done
for card in lo up0 lan0; do $outside ip link set $card up; done
ip addr add {ADDRESS}/24 dev {CARD}
ip addr add 192.168.56.10/24 dev eth1
$outside ip addr add {GATEWAY}/24 dev up0
$outside ip addr add 192.168.56.1/24 dev lan0
$outside ip addr add {INTERNET}/32 dev lo
ip route add default via {GATEWAY} dev {CARD}
"""
"""The machine's network; $1 is a process in the world outside."""


class Machine:
    """The machine at work. ``enter`` is what a command that runs on it begins with, ``outside`` one beyond it."""

    def __init__(self) -> None:
        command = [sys.executable, "-P", __file__]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the machine could not be made: its words stand above"
        pids = json.loads(line)
        into = ("--user", "--net", "--mount", "--pid", "--wd=/")
        self.enter = ("nsenter", f"--target={pids['first']}", *into)
        self.outside = ("nsenter", f"--target={pids['outside']}", *into)

    def type(self, text: str, *, code: int = 0) -> str:
        """What somebody types on it, as root; what that prints."""
        return self._said(self.enter, text, code)

    def from_outside(self, text: str, *, code: int = 0) -> str:
        """What somebody types beyond its cards, where the gateway and the internet are."""
        return self._said(self.outside, text, code)

    @staticmethod
    def _said(into: tuple[str, ...], text: str, code: int) -> str:
        done = subprocess.run(
            [*into, "sh", "-euc", text],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"},
        )
        assert done.returncode == code, f"{text}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    @contextmanager
    def watched(self, card: str = "up0") -> Iterator[list[str]]:
        """All IPv4 packets that pass the far end of the uplink meanwhile, as tcpdump shows them."""
        # Not into its PID namespace: nsenter would then stay in front of tcpdump, and only nsenter be ended.
        into = [word for word in self.outside if word != "--pid"]
        capture = subprocess.Popen(
            [*into, "tcpdump", "-i", card, "-n", "-l", "--immediate-mode", "ip"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert capture.stderr is not None
        while "listening on" not in (line := capture.stderr.readline()):
            assert line, "tcpdump could not begin"
        packets: list[str] = []
        yield packets
        capture.terminate()
        packets += capture.communicate()[0].splitlines()

    def end(self) -> None:
        """Switch it off."""
        self._process.communicate()


def _main() -> None:
    mapped, go = os.pipe(), os.pipe()
    child = os.fork()
    if child:
        os.read(mapped[0], 1)
        for kind in ("uid", "gid"):  # everybody is who they are here: tcpdump becomes a user of its own
            Path(f"/proc/{child}/{kind}_map").write_text("0 0 65536")
        os.write(go[1], b"1")
        os.waitpid(child, 0)
        return
    linux.unshare(linux.CLONE_NEWUSER)
    os.write(mapped[1], b"1")
    os.read(go[0], 1)
    linux.unshare(linux.CLONE_NEWNS | linux.CLONE_NEWNET | linux.CLONE_NEWPID)
    first = os.fork()
    if first:
        os.waitpid(first, 0)
        os._exit(0)
    pids = {"first": os.readlink("/proc/self")}  # this /proc is still the outer one, and has our outer pid
    said, saying = os.pipe()
    outside = os.fork()
    if outside == 0:
        linux.unshare(linux.CLONE_NEWNET)
        os.write(saying, os.readlink("/proc/self").encode())
        os.execvp("sleep", ["sleep", "infinity"])
    pids["outside"] = os.read(said, 20).decode()
    safe = linux.MS_NOSUID | linux.MS_NODEV
    linux.mount("none", "/", "", linux.MS_REC | linux.MS_SLAVE)
    linux.mount("tmpfs", "/run", "tmpfs", safe, "mode=755")
    linux.mount("proc", "/proc", "proc", safe | linux.MS_NOEXEC)
    linux.mount("sysfs", "/sys", "sysfs", safe | linux.MS_NOEXEC)
    Path("/run/netns").mkdir()
    subprocess.run(["sh", "-euc", _NETWORK, "sh", str(outside)], check=True)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # what loses its parent here is not waited for by us
    print(json.dumps(pids), flush=True)
    sys.stdin.read()
    os._exit(0)  # with the first process everything here ends


if __name__ == "__main__":
    _main()
