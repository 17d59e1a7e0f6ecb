"""Which neighbouring commands share one process: pure, and order never changes.

A *group* is one process. A *lane* is the groups of one network namespace, in order. A *wave* is the lanes that do not
concern each other, and may run side by side; waves run one after the other. The lab host's own commands, and any that
name another namespace, are waves of one lane: nothing overtakes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from netlab.model import Command

SWEEP = 4
"""So many neighbouring `ip link del` and more are deleted as a link group, in one pass of the kernel."""


@dataclass(frozen=True, slots=True)
class Group:
    """Commands that share one process: ``argv`` with ``stdin``. Line K of stdin is command ``lines[K - 1]``."""

    commands: tuple[Command, ...]
    argv: tuple[str, ...]
    stdin: str = ""
    lines: tuple[int, ...] = ()
    sweep: tuple[str, ...] = ()
    """Names of links to delete at once; argv then only puts them into a link group."""

    @property
    def netns(self) -> str | None:
        return self.commands[0].netns

    def failing(self, stderr: str) -> Command:
        """The command that a failed run's words point at; the first where they name no line."""
        return self.commands[self.lines[min(_line(stderr), len(self.lines)) - 1] if self.lines else 0]

    def rest(self, stderr: str) -> Group:
        """What is still to be run then. iptables-restore changes all or nothing; a batch stops where it fails."""
        if self.argv[:2] != ("ip", "-batch"):
            return self
        done = _line(stderr) - 1
        lines = self.stdin.splitlines(keepends=True)[done:]
        return replace(self, commands=self.commands[done:], stdin="".join(lines), lines=tuple(range(len(lines))))


def _line(stderr: str) -> int:
    """The number of the line that failed, from 1; 1 where none is named."""
    match = re.search(r"Command failed \S+:(\d+)|\bline:? (\d+)", stderr)
    return int(match[1] or match[2]) if match else 1


Lane = tuple[Group, ...]
Wave = tuple[Lane, ...]


def waves(commands: Sequence[Command], *, together: bool = True) -> Iterator[Wave]:
    """All the commands, each once, in waves. ``together=False`` gives every command a process and a wave of its own."""
    if not together:
        yield from (((_single(command),),) for command in commands)
        return
    for apart, run in groupby(commands, key=_stands_apart):
        if apart:
            yield from (((group,),) for group in groups(run))
        else:
            lanes: dict[str | None, list[Command]] = {}
            for command in run:
                lanes.setdefault(command.netns, []).append(command)
            yield tuple(tuple(groups(lane)) for lane in lanes.values())


def _stands_apart(command: Command) -> bool:
    """On the lab host, or reaching into another namespace: its order against all others matters. So does a server's."""
    return command.netns is None or "netns" in command.argv or command.serve is not None


def groups(commands: Iterable[Command]) -> Iterator[Group]:
    """Neighbours of one tool and one namespace, each run of them as one process."""
    for (kind, _netns), run in groupby(commands, key=lambda each: (_kind(each), each.netns)):
        neighbours = tuple(run)
        if not kind or len(neighbours) == 1:
            yield from map(_single, neighbours)
        else:
            yield from _grouped(kind, neighbours)


def _kind(command: Command) -> tuple[str, ...]:
    """What may share a process with what: commands of equal kind. () shares with none."""
    tool, *words = command.argv
    if command.serve is not None:
        return ()
    if tool == "ip":
        # On iproute2 4.11 `netns add` leaves a batch in the new namespace: it only goes with its like.
        if words[0] == "netns":
            return ("ip", "netns", words[1])
        return ("ip", "del") if words[:2] == ["link", "del"] else ("ip",)
    if tool == "iptables" and words[:2] == ["-w", "-t"] and words[3] in ("-A", "-D"):
        return ("iptables", words[2])
    if tool == "kill":
        return (tool, words[0])
    return (tool,) if tool == "sysctl" else ()


def _single(command: Command) -> Group:
    return Group((command,), command.argv)


def _grouped(kind: tuple[str, ...], commands: tuple[Command, ...]) -> Iterator[Group]:
    if kind[0] == "ip":
        names = tuple(each.argv[3] for each in commands) if kind == ("ip", "del") else ()
        if len(names) >= SWEEP:
            yield Group(commands, ("ip", "-batch", "-"), sweep=names)
        else:
            text = "".join(" ".join(each.argv[1:]) + "\n" for each in commands)
            yield Group(commands, ("ip", "-batch", "-"), text, tuple(range(len(commands))))
    elif kind[0] == "iptables":
        # One table, one atomic change; no option that iptables-restore 1.4.21 may not know. Line 1 is the table's.
        rules = "".join(" ".join(_quoted(word) for word in each.argv[4:]) + "\n" for each in commands)
        text = f"*{kind[1]}\n{rules}COMMIT\n"
        yield Group(commands, ("iptables-restore", "--noflush"), text, (0, *range(len(commands)), len(commands) - 1))
    elif kind[0] == "sysctl":
        yield Group(commands, ("sysctl", "-w", *(each.argv[2] for each in commands)))
    else:
        yield Group(commands, ("kill", kind[1], *(each.argv[2] for each in commands)))


def _quoted(word: str) -> str:
    """As iptables-restore reads it: double quotes around white space, with quotes and backslashes escaped."""
    if word and not any(char in word for char in " \t\"'\\"):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
