"""Where facts about a machine are read from, so that tests can hand in a CentOS 7 that is a folder.

What a distribution calls its packages, and the command that installs them, is written here once.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine to look at: ``Machine()`` is this one.

    ``root`` is the folder that stands for ``/``, ``uid`` who is asking, ``python`` the interpreter's version, and
    ``release`` the running kernel's (``uname -r``, which names its folder under /lib/modules).
    """

    root: Path = Path("/")
    uid: int = field(default_factory=os.getuid)
    environ: Mapping[str, str] = field(default_factory=lambda: MappingProxyType(dict(os.environ)))
    python: tuple[int, int] = sys.version_info[:2]
    release: str = field(default_factory=lambda: os.uname().release)

    def path(self, absolute: str) -> Path:
        """Where this machine's ``absolute`` path is found."""
        return self.root / absolute.lstrip("/")

    def text(self, absolute: str) -> str | None:
        """A file's text, stripped; None where it is not there or may not be read."""
        try:
            return self.path(absolute).read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            return None

    def number(self, absolute: str) -> int | None:
        """The number in a file; None without the file, or where it holds something else."""
        text = self.text(absolute)
        return int(text) if text is not None and text.lstrip("-").isdecimal() else None

    def as_root(self, command: str) -> str:
        """What this user types to run ``command`` as root."""
        return command if self.uid == 0 else f"sudo {command}"


@dataclass(frozen=True, slots=True)
class Distribution:
    """``identity`` is os-release's ID; ``family`` "apt", "dnf", "yum", or "" where package names are not known here."""

    name: str
    identity: str
    family: str


_FAMILIES: Final = {"debian": "apt", "ubuntu": "apt", "fedora": "rpm", "rhel": "rpm", "centos": "rpm"}

_INSTALL: Final = {"apt": "apt-get install -y", "dnf": "dnf install -y", "yum": "yum install -y"}

_PACKAGES: Final = {
    # program: (Debian's package, Fedora's and Red Hat's)
    "ip": ("iproute2", "iproute"),
    "ss": ("iproute2", "iproute"),
    "bridge": ("iproute2", "iproute"),
    "iptables": ("iptables", "iptables"),
    "iptables-save": ("iptables", "iptables"),
    "iptables-restore": ("iptables", "iptables"),
    "nft": ("nftables", "nftables"),
    "sysctl": ("procps", "procps-ng"),
    "ping": ("iputils-ping", "iputils"),
    "curl": ("curl", "curl"),
    "tcpdump": ("tcpdump", "tcpdump"),
    "nsenter": ("util-linux", "util-linux"),
    "unshare": ("util-linux", "util-linux"),
    "mount": ("mount", "util-linux"),
    "sh": ("dash", "bash"),
    "sleep": ("coreutils", "coreutils"),
    "grep": ("grep", "grep"),
    "python3": ("python3", "python3"),
    "brctl": ("bridge-utils", "bridge-utils"),
    "route": ("net-tools", "net-tools"),
    "modprobe": ("kmod", "kmod"),
}


def distribution(machine: Machine) -> Distribution:
    """The distribution by /etc/os-release (os-release(5)): its own ID first, then the ones it says it is like."""
    keys: dict[str, str] = {}
    for line in (machine.text("/etc/os-release") or machine.text("/usr/lib/os-release") or "").splitlines():
        key, separator, value = line.partition("=")
        if separator:
            keys[key.strip()] = _unquote(value)
    name = keys.get("PRETTY_NAME") or keys.get("ID") or "unknown"
    for identity in (keys.get("ID", ""), *keys.get("ID_LIKE", "").split()):
        family = _FAMILIES.get(identity, "")
        if family == "rpm":
            family = "dnf" if machine.path("/usr/bin/dnf").exists() else "yum"  # until CentOS 7, and Amazon Linux 2
        if family:
            return Distribution(name, keys.get("ID", ""), family)
    return Distribution(name, keys.get("ID", ""), "")


def install(machine: Machine, programs: Iterable[str]) -> str:
    """The command that installs ``programs`` here, in words where the distribution's package names are not known."""
    wanted = list(dict.fromkeys(programs))
    family = distribution(machine).family
    if not family or not all(name in _PACKAGES for name in wanted):
        return "install " + ", ".join(wanted) + " with this distribution's package manager"
    column = 0 if family == "apt" else 1
    packages = dict.fromkeys(_PACKAGES[name][column] for name in wanted)
    return machine.as_root(f"{_INSTALL[family]} {shlex.join(packages)}")


def _unquote(value: str) -> str:
    try:
        return "".join(shlex.split(value))
    except ValueError:
        return value.strip()
