"""Which names under /run/netns are network namespaces: those that one is mounted on, where it can be seen.

A plain file there is a torn ``ip netns add``. And where a sandbox has mounted a /run of its own over the machine's,
mountinfo goes on listing the namespaces underneath, which nobody can reach by name any more.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

_LINE = re.compile(r"([0-9]+) ([0-9]+) [^ ]+ [^ ]+ ([^ ]+) [^ ]+ (?:[^ ]+ )*?- ([^ ]+)(?: |$)")
_NETNS = re.compile(r"(?:/var)?/run/netns/([^/]+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Mount:
    """A line of mountinfo; ``number`` and ``parent`` are the kernel's identifiers of mounts."""

    number: str
    parent: str
    point: str
    fstype: str

    @property
    def is_namespace(self) -> bool:
        """Before kernel 3.19 (CentOS 7) there is no nsfs: it is a file of /proc. Nobody mounts all of /proc here."""
        return self.fstype in ("nsfs", "proc")


def mounted_namespaces(mountinfo: str) -> frozenset[str]:
    """The text of /proc/self/mountinfo → the names of network namespaces, octal escapes undone."""
    mounts = {match[1]: _Mount(*match.groups()) for line in mountinfo.split("\n") if (match := _LINE.match(line))}
    points: defaultdict[str, set[str]] = defaultdict(set)
    for mount in mounts.values():
        points[mount.parent].add(mount.point)
    names = set()
    for mount in mounts.values():
        name = _NETNS.fullmatch(_unescaped(mount.point))
        if name and mount.is_namespace and not _covered(mount, mounts, points):
            names.add(name[1])
    return frozenset(names)


def _covered(mount: _Mount, mounts: dict[str, _Mount], points: defaultdict[str, set[str]]) -> bool:
    """Does another mount, on the way from the root to this one, stand on a folder above it?"""
    seen: set[str] = set()
    while mount.parent in mounts and mount.number not in seen:
        seen.add(mount.number)
        parts = mount.point.split("/")
        above = {"/".join(parts[:end]) or "/" for end in range(1, len(parts))}
        if above & points[mount.parent]:
            return True
        mount = mounts[mount.parent]
    return False


def _unescaped(point: str) -> str:
    r"""Blanks, line ends and backslashes are written in octal, as ``\040``."""
    return re.sub(r"\\([0-3][0-7]{2})", lambda octal: chr(int(octal[1], 8)), point)
