"""A person's own command or shell in a node of the lab, on their terminal."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from netlab import sandbox
from netlab.errors import Missing, NetlabError, UsageError
from netlab.lab import Choice, HostLab, SandboxLab
from netlab.programs import FOLDERS, program
from netlab.spelling import HOST


def check(lab: SandboxLab | HostLab, node: str, choice: Choice) -> None:
    """Raise UsageError, with the nodes there are, unless ``node`` is one that exists now, or will in a new sandbox."""
    there = sorted(lab.inside(lambda inside: inside.namespaces()) if lab.there else choice.course.surroundings.NODES)
    if node != HOST and node not in there:
        declared = choice.declared()
        hint = (
            f"it comes with: netlab apply --until {declared[node]}{lab.state.option}"
            if node in declared
            else "give one of these"
        )
        raise UsageError(
            f"there is no node {node!r} now", details=(f"there are: {', '.join([HOST, *there])}",), hint=hint
        )


def run(lab: SandboxLab | HostLab, node: str, command: Sequence[str] | None) -> int:
    """Run ``command``, or for None a shell, in ``node``; its exit code, 128 + N for signal N.

    On this machine's own network it takes the place of netlab, and nothing is returned.
    """
    environment = {**os.environ, "NETLAB_NODE": node}
    # An ordinary user's PATH has no sbin, where ip and iptables are.
    environment["PATH"] = os.pathsep.join(filter(None, (os.environ.get("PATH", ""), *FOLDERS)))
    argv = _resolved(command, environment["PATH"]) if command is not None else _shell(lab)
    environment.setdefault("PS1", f"({node}) $ ")  # what a plain sh takes from here, and bash from its own file
    where = None if node == HOST else node
    if isinstance(lab, HostLab):
        return sandbox.become(argv, environment, netns=where)
    holder = lab.holder()
    if holder is None:  # without the lock: another netlab may have ended it since
        raise NetlabError(f"sandbox {lab.state.name!r} has just ended", hint="run the command again")
    return sandbox.foreground(holder, argv, environment, netns=where, shell=command is None)


def _resolved(command: Sequence[str], path: str) -> list[str]:
    if "/" in command[0]:
        return list(command)
    found = shutil.which(command[0], path=path)
    if found is None:
        hint = "install it: the sandbox shares the machine's programs"
        raise Missing(f"there is no program {command[0]!r} on this machine", hint=hint)
    return [found, *command[1:]]


def _shell(lab: SandboxLab | HostLab) -> list[str]:
    """The person's own shell; in bash the prompt says which node it is in."""
    own = os.environ.get("SHELL", "")
    shell = own if own.startswith("/") and os.access(own, os.X_OK) else program("sh")
    if Path(shell).name != "bash" or not lab.there or not lab.kept:
        return [shell]
    start = lab.state.folder / "bashrc"
    start.write_text('[ -r ~/.bashrc ] && . ~/.bashrc\nPS1="($NETLAB_NODE) $PS1"\n')
    return [shell, "--rcfile", str(start)]
