"""From questions to the jobs that ask them, and from what those print to the values that answer."""

from __future__ import annotations

import contextlib
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import netlab.facts as parse
from netlab.errors import CommandFailed, Conflict
from netlab.model import Address, Facts, Link, Namespaces, Query, Result, Route, Stack
from netlab.mounts import mounted_namespaces
from netlab.processes import Job

SHOW_STACK = "link show\naddress show\nroute show\n"
"""The lines of one `ip -o -d -batch` that show a whole stack."""


def namespaces() -> Namespaces:
    """The network namespaces that this process's mounts show under /run/netns."""
    folder = Path("/run/netns")
    names = "\n".join(sorted(path.name for path in folder.iterdir())) if folder.is_dir() else ""
    found = parse.parse_namespaces(names, Path("/proc/self/mountinfo").read_text(errors="surrogateescape"))
    foreign = frozenset(name for name in found.torn if not _cut_short(folder / name))
    born = {name: _born(folder / name) for name in found.live}
    return replace(found, torn=found.torn - foreign, foreign=foreign, born=born)


def _cut_short(path: Path) -> bool:
    """Is this what an `ip netns add` leaves that was killed: an empty file, and no mount point for anybody?"""
    try:
        found = path.lstat()
    except OSError:  # it has just gone
        return True
    if not stat.S_ISREG(found.st_mode) or found.st_size:
        return False
    for other in Path("/proc").glob("[1-9]*/mountinfo"):
        with contextlib.suppress(OSError):  # ended, or somebody else's
            if path.name in mounted_namespaces(other.read_text(errors="surrogateescape")):
                return False
    return True


def _born(path: Path) -> str:
    """A namespace's number is given to another one when it is gone; the moment at which it got its name is not."""
    try:
        found = path.stat()
    except OSError:
        return ""
    return f"{found.st_ino} {found.st_ctime_ns}"


def jobs_for(queries: Iterable[Query]) -> dict[Job, list[Query]]:
    """The jobs that ask these queries, each with those that its output answers. None for what needs no process."""
    jobs: dict[Job, list[Query]] = {}
    names: dict[str, list[Query]] = {}
    for query in queries:
        if query.kind == "sysctl" and "*" not in query.key:
            names.setdefault(query.netns, []).append(query)
        elif query.kind in _ASK:
            argv, stdin = _ASK[query.kind](query.key)
            jobs[Job(argv, query.netns or None, stdin)] = [query]
    for netns, some in names.items():  # one sysctl prints any number of names
        jobs[Job(("sysctl", *(query.key for query in some)), netns or None)] = some
    return jobs


Asked = tuple[tuple[str, ...], str]
"""An argv and what it reads."""


def _pattern(key: str) -> Asked:
    # sysctl itself walks all of /proc/sys for a pattern: a second with 500 cards.
    folder, _, name = key.partition(".*.")
    return ("grep", "-rsH", f"--include={name}", "", "/proc/sys/" + folder.replace(".", "/")), ""


def _fetch(url: str) -> Asked:
    options = ("-q", "-s", "--noproxy", "*", "--max-time", "1", "-o", "/dev/null", "-w", "%{http_code}")
    return ("curl", *options, url), ""


_ASK: dict[str, Callable[[str], Asked]] = {
    "stack": lambda key: (("ip", "-o", "-d", "-batch", "-"), SHOW_STACK),
    "listeners": lambda key: (("ss", "-ltn"), ""),
    "sysctl": _pattern,
    "iptables": lambda table: (("iptables-save", "-t", table), ""),
    "chains": lambda key: (("nft", "list", "ruleset"), ""),
    "fetch": _fetch,
}


_NFT_ONLY = re.compile(r"(?m)^# Table `(.+)' is incompatible, use 'nft' tool\.$")


def told(query: Query, result: Result | None) -> str:
    """What a job printed. Raises CommandFailed where it could not answer: that is not the same as nothing being there;
    and Conflict for a table that iptables cannot read.

    curl fails where nobody answers, and sysctl and grep for a name that the kernel has not: those are answers.
    """
    if result is None or (result.code != 0 and not _answers(query, result)):
        said = result.stderr.strip().splitlines() if result is not None else []
        where = f" of {query.netns}" if query.netns else ""
        about = " ".join(filter(None, (query.kind, query.key)))
        raise CommandFailed(
            f"the facts cannot be read: {about}{where}",
            details=said or ("the tool said nothing",),
            hint="nothing was changed for it; clear what it names, and run the command again",
        )
    if query.kind == "iptables" and (match := _NFT_ONLY.search(result.stdout)) and match[1] == query.key:
        raise Conflict(
            f"the table {query.key!r} of iptables has a rule that only nft can show, and iptables cannot read it",
            details=(f"look: nft list table ip {query.key}",),
            hint="put that rule into a table of its own (nft add table ip mine, …), and run the command again",
        )
    return result.stdout


def _answers(query: Query, result: Result) -> bool:
    """Is it an answer that this failed? Not where the tool was killed, could not be started, or had to give up."""
    if query.kind == "fetch":
        return 0 < result.code < 126
    if query.kind == "sysctl" and "*" in query.key:  # a card may go while grep is on its way through all of them
        return result.code == 1 or (result.code == 2 and bool(result.stdout))
    said = result.stderr.splitlines()
    return query.kind == "sysctl" and bool(said) and all("No such file" in line for line in said)


def parsed(query: Query, text: str) -> Any:
    """The answer to a query in what its job printed; what nothing printed means that nothing is there."""
    match query.kind:
        case "stack":
            return parse.parse_stack(text)
        case "listeners":
            return parse.parse_listeners(text)
        case "sysctl":
            values = parse.parse_sysctl(text)
            return values if "*" in query.key else {key: value for key, value in values.items() if key == query.key}
        case "iptables":
            return parse.parse_table(text, query.key)
        case "chains":
            return parse.parse_chains(text)
        case _:
            return int(text) if text.isdigit() else 0


class Nowhere(Mapping[Query, Any]):
    """The answers of a lab host that is not there (yet): nothing is in it."""

    def __getitem__(self, query: Query) -> Any:
        match query.kind:
            case "namespaces":
                return Namespaces()
            case "stack":
                return Stack(exists=False)
            case _:
                return parsed(query, "")

    def __iter__(self) -> Iterator[Query]:
        return iter(())

    def __len__(self) -> int:
        return 0


NOWHERE = Facts(Nowhere())
"""What a lab host shows where none is."""


class First(Nowhere):
    """The facts that a sandbox started with: its namespaces, stacks and sysctls on record; no rule, no server."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        self._namespaces = Namespaces(frozenset(record["stacks"]) - {""})
        self._stacks = {netns: _stack(stack) for netns, stack in record["stacks"].items()}
        self._sysctls = record["sysctls"]

    def __getitem__(self, query: Query) -> Any:
        match query.kind:
            case "namespaces":
                return self._namespaces
            case "stack":
                return self._stacks.get(query.netns, Stack(exists=False))
            case "sysctl":
                values = self._sysctls.get(query.netns, {})
                before, star, after = query.key.partition("*")
                if not star:
                    return {query.key: values[query.key]} if query.key in values else {}
                return {key: value for key, value in values.items() if key.startswith(before) and key.endswith(after)}
            case _:
                return super().__getitem__(query)


def first_record(stacks: Mapping[str, Stack], sysctls: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """What ``First`` reads, as JSON holds it: by namespace ("" is the lab host), its stack and its sysctls."""
    return {
        "stacks": {netns: asdict(stack) for netns, stack in stacks.items()},
        "sysctls": {netns: dict(values) for netns, values in sysctls.items()},
    }


def _stack(record: Mapping[str, Any]) -> Stack:
    links = {name: Link(**link) for name, link in record["links"].items()}
    addresses = tuple(Address(**each) for each in record["addresses"])
    return Stack(links, addresses, tuple(Route(**each) for each in record["routes"]), record["exists"])
