"""From questions to the jobs that ask them, and from what those print to the values that answer. Nothing is run here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import netlab.facts as parse
from netlab.model import Facts, Namespaces, Query, Stack
from netlab.processes import Job

SHOW_STACK = "link show\naddress show\nroute show\n"
"""The lines of one `ip -o -d -batch` that show a whole stack."""


def namespaces() -> Namespaces:
    folder = Path("/run/netns")
    names = "\n".join(sorted(path.name for path in folder.iterdir())) if folder.is_dir() else ""
    return parse.parse_namespaces(names, Path("/proc/self/mountinfo").read_text(errors="surrogateescape"))


def _stack_jobs(query: Query) -> list[Job]:
    return [Job(("ip", "-o", "-d", "-batch", "-"), query.netns or None, SHOW_STACK)]


def _sysctl_jobs(query: Query) -> list[Job]:
    if "*" not in query.key:
        return [Job(("sysctl", query.key), query.netns or None)]
    # sysctl itself walks all of /proc/sys for a pattern: a second with 500 cards.
    folder, _, name = query.key.partition(".*.")
    path = "/proc/sys/" + folder.replace(".", "/")
    return [Job(("grep", "-rsH", f"--include={name}", "", path), query.netns or None)]


def _fetch_jobs(query: Query) -> list[Job]:
    options = ("-q", "-s", "--noproxy", "*", "--max-time", "1", "-o", "/dev/null", "-w", "%{http_code}")
    return [Job(("curl", *options, query.key), query.netns or None)]


JOBS: dict[str, Callable[[Query], list[Job]]] = {
    "namespaces": lambda query: [],
    "service": lambda query: [],
    "stack": _stack_jobs,
    "listeners": lambda query: [Job(("ss", "-ltn"), query.netns or None)],
    "sysctl": _sysctl_jobs,
    "iptables": lambda query: [Job(("iptables-save", "-t", query.key), query.netns or None)],
    "chains": lambda query: [Job(("nft", "list", "ruleset"), query.netns or None)],
    "fetch": _fetch_jobs,
}


def parsed(query: Query, text: str) -> Any:
    match query.kind:
        case "stack":
            return parse.parse_stack(text)
        case "listeners":
            return parse.parse_listeners(text)
        case "sysctl":
            return parse.parse_sysctl(text)
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
        self._stacks = {netns: parse.parse_stack(text) for netns, text in record["stacks"].items()}
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


def first_record(stacks: Mapping[str, str], sysctls: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """What ``First`` reads: by namespace ("" is the lab host), what a look at the stack printed, and its sysctls."""
    return {"stacks": dict(stacks), "sysctls": {netns: dict(values) for netns, values in sysctls.items()}}

