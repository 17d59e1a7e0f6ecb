"""(a): the lab typed as a plain shell script, one process a command, in namespaces of its own."""

from __future__ import annotations

import os
import secrets
import selectors
import shlex
import subprocess
import time
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network
from pathlib import Path
from typing import Literal

Up = Literal["post", "plan"]
"""As the post types it (each veth made, then its peer moved), or as `netlab plan` shows it (the peer made in place)."""

Down = Literal["short", "each"]
"""As somebody who knows what goes with what (links, then namespaces), or each command taken back by its own."""

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}

_BEGIN = """
mount --make-rprivate / && mount -t tmpfs none /run && mkdir /run/netns && mount -t proc proc /proc || exit
mount -t sysfs sysfs /sys 2>/dev/null
ip link set lo up
exec sh -s
"""


class Failed(Exception):
    """What was timed did not end well; the words say how."""


def subnet(count: int) -> str:
    """A network with room for so many containers; netlab is told the same."""
    return "172.168.1.0/24" if count <= 244 else "172.168.0.0/16"


def up(count: int, form: Up, inside: str) -> Iterator[str]:
    """The tutorial's eight steps up to `nat`, in its order. The kernel adds the subnet's route with the gateway."""
    network = IPv4Network(subnet(count))
    numbers = range(1, count + 1)
    for i in numbers:
        yield f"ip netns add container{i}"
    for i in numbers:
        if form == "post":
            yield f"ip link add veth{i} type veth peer name eth{i}"
            yield f"ip link set eth{i} netns container{i}"
        else:
            yield f"ip link add veth{i} type veth peer name eth{i} netns container{i}"
    for i in numbers:
        yield f"{inside.format(i)} addr add {network[10 + i]}/{network.prefixlen} dev eth{i}"
        yield f"{inside.format(i)} link set eth{i} up"
    for i in numbers:
        yield f"ip link set veth{i} up"
    yield "ip link add br0 type bridge"
    yield "ip link set br0 up"
    for i in numbers:
        yield f"ip link set veth{i} master br0"
    yield f"ip addr add {network[1]}/{network.prefixlen} dev br0"
    for i in numbers:
        yield f"{inside.format(i)} route add default via {network[1]} dev eth{i}"
    yield "sysctl -w net.ipv4.ip_forward=1"
    yield "iptables -t filter --policy FORWARD ACCEPT"
    yield f"iptables -t nat -A POSTROUTING -s {network} -o ens33 -j MASQUERADE"


def down(count: int, form: Down, inside: str) -> Iterator[str]:
    """Back to what was there, newest first: each command by its own, or by those that take others' work with them."""
    network = IPv4Network(subnet(count))
    numbers = range(count, 0, -1)
    yield f"iptables -t nat -D POSTROUTING -s {network} -o ens33 -j MASQUERADE"
    yield "sysctl -w net.ipv4.ip_forward=0"
    if form == "each":
        yield from (f"{inside.format(i)} route del default" for i in numbers)
        yield f"ip addr del {network[1]}/{network.prefixlen} dev br0"
        yield from (f"ip link set veth{i} nomaster" for i in numbers)
        yield "ip link set br0 down"
        yield "ip link del br0"
        yield from (f"ip link set veth{i} down" for i in numbers)
        for i in numbers:
            yield f"{inside.format(i)} link set eth{i} down"
            yield f"{inside.format(i)} addr del {network[10 + i]}/{network.prefixlen} dev eth{i}"
    yield from (f"ip link del veth{i}" for i in numbers)
    if form == "short":
        yield "ip link del br0"
    yield from (f"ip netns del container{i}" for i in numbers)


class Plain:
    """A shell in namespaces of its own, in which scripts are run and timed. ``close`` ends it and all that is in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # Like netlab: root needs no user namespace of its own.
        user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
        own = ("unshare", *user, "--net", "--mount", "--pid", "--fork", "--kill-child=KILL")
        self._shell = subprocess.Popen(
            (*own, "sh", "-c", _BEGIN),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )

    def close(self) -> None:
        self._shell.kill()
        self._shell.communicate()

    def inside(self) -> str:
        """How `ip` gets into container {}: `ip netns exec` fails where part of /sys is masked, as in containers."""
        code, _, _ = self._ask("ip netns add probe && ip netns exec probe true", 10)
        self._ask("ip netns del probe", 10)
        return "ip netns exec container{} ip" if code == 0 else "nsenter --net=/run/netns/container{} ip"

    def seconds(self, commands: Sequence[str], limit: float) -> float:
        """Run them as one script, ended by the first that fails, and return its wall time."""
        path = self._folder / "plain.sh"
        path.write_text("set -e\n" + "\n".join(commands) + "\n")
        code, said, spent = self._ask(f"sh {shlex.quote(str(path))}", limit)
        if code != 0:
            raise Failed(f"the plain script ended with {code}: {said.strip()[-300:]}")
        return spent

    def _ask(self, command: str, limit: float) -> tuple[int, str, float]:
        """Exit code, output and seconds of one command in that shell; after ``limit`` seconds it is given up."""
        assert self._shell.stdin is not None
        assert self._shell.stdout is not None
        mark = secrets.token_hex(8)
        begun = time.monotonic()
        try:
            self._shell.stdin.write(f"{command} </dev/null\necho {mark} $?\n".encode())
            self._shell.stdin.flush()
        except BrokenPipeError:
            raise Failed("the namespaces for the plain script could not be made: see `netlab doctor`") from None
        said = b""
        with selectors.DefaultSelector() as ready:
            ready.register(self._shell.stdout, selectors.EVENT_READ)
            while f"{mark} ".encode() not in said or not said.endswith(b"\n"):
                if not ready.select(max(0.0, begun + limit - time.monotonic())):
                    raise Failed(f"the plain script was given up after {limit:.0f} s")
                part = os.read(self._shell.stdout.fileno(), 65536)
                if not part:
                    raise Failed(f"the plain script's shell has gone: {said.decode(errors='replace').strip()}")
                said += part
        spent = time.monotonic() - begun
        text, _, code = said.decode(errors="replace").rpartition(f"{mark} ")
        return int(code), text, spent
