"""What time heals, and what it does not: the words of old and new tools."""

# ruff: noqa: E501 — a row of a table is a line

from __future__ import annotations

from pathlib import Path

import pytest

from netlab.model import Result
from netlab.retries import TABLE, heals

DATA = Path(__file__).parent / "data"

HEALS = {
    "the xtables lock, 1.4.21 without -w": ("iptables", 4, "Another app is currently holding the xtables lock. Perhaps you want to use the -w option?\n", 30),
    "the xtables lock, 1.8 legacy": ("iptables-restore", 4, "Another app is currently holding the xtables lock. Perhaps you want to use the -w option?\n", 30),
    "the xtables lock, still waiting": ("iptables", 4, "Another app is currently holding the xtables lock; still -9s 0us time ahead to have a chance to grab the lock...\n", 30),
    "legacy: the table changed meanwhile": ("iptables", 4, "iptables: Resource temporarily unavailable.\n", 5),
    "nft: the chain is busy": ("iptables-restore", 4, "iptables-restore v1.8.9 (nf_tables): \nline 4: CHAIN_ADD failed (Device or resource busy): chain PREROUTING\n", 1),
    "a veth that is just being made": ("ip", 2, "RTNETLINK answers: Device or resource busy\n", 1),
    "the same in a batch": ("ip", 1, "RTNETLINK answers: Device or resource busy\nCommand failed -:3\n", 1),
    "a namespace still in use": ("ip", 1, 'Cannot remove namespace file "/run/netns/a": Device or resource busy\n', 2),
    "a dump that was interrupted": ("ip", 1, "Dump was interrupted and may be inconsistent.\n", 2),
    "a signal in between": ("ip", 2, "RTNETLINK answers: Interrupted system call\n", 2),
    "no buffers": ("ip", 2, "RTNETLINK answers: No buffer space available\n", 2),
    "no memory": ("nsenter", 1, "nsenter: fork failed: Resource temporarily unavailable\n", 2),
    "nft: the table is busy": ("iptables", 4, "iptables v1.8.9 (nf_tables): TABLE_FLUSH failed (Device or resource busy): table nat\n", 1),
    "a rule's table changed, by ip6tables": ("ip6tables", 4, "ip6tables: Resource temporarily unavailable.\n", 5),
    "nft was interrupted": ("nft", 1, "netlink: Error: cache initialization failed: Interrupted system call\n", 2),
    "no room for a process": ("sysctl", 1, "sh: fork: Cannot allocate memory\n", 2),
}  # fmt: skip


@pytest.mark.parametrize(("tool", "code", "stderr", "seconds"), HEALS.values(), ids=HEALS)
def test_heals(tool: str, code: int, stderr: str, seconds: float) -> None:
    row = heals(tool, Result(code, "", stderr))
    assert row is not None
    assert row in TABLE
    assert row.seconds == seconds


def captured(generation: str, name: str) -> tuple[str, int, str]:
    """The tool, its exit code and its words, from a captured file: the command line, both outputs, the exit code."""
    command, *words, code = (DATA / generation / "errors" / name).read_text().splitlines()
    return command.split()[1], int(code.removeprefix("[exit ").removesuffix("]")), "\n".join(words)


ERRORS = sorted(f"{path.parent.parent.name}/{path.name}" for path in DATA.glob("*/errors/*.txt"))


@pytest.mark.parametrize("path", ERRORS)
def test_captured_errors_never_heal(path: str) -> None:
    """File exists, no such device, already assigned, bad rule, invalid argument: both generations of the tools."""
    generation, _, name = path.partition("/")
    tool, code, words = captured(generation, name)
    assert heals(tool, Result(code, "", words)) is None


def test_both_generations_are_captured() -> None:
    assert {path.partition("/")[0] for path in ERRORS} == {"el7", "debian12"}
    assert len(ERRORS) >= 16


NEVER = {
    "it went well": ("ip", 0, "RTNETLINK answers: Device or resource busy\n"),
    "a chain that is still in use has exit code 4, too": ("iptables", 4, "iptables v1.8.9 (nf_tables):  CHAIN_USER_DEL failed (Device or resource busy): chain MINE\n"),
    "a chain that nft cannot delete for another reason": ("iptables", 4, "iptables v1.8.9 (nf_tables): CHAIN_DEL failed (Operation not supported): chain PREROUTING\n"),
    "no permission": ("ip", 2, "RTNETLINK answers: Operation not permitted\n"),
    "a wrong gateway": ("ip", 2, "Error: Nexthop has invalid gateway.\n"),
    "no such device": ("ip", 1, 'Cannot find device "veth1"\n'),
    "no such program": ("ip", 127, "sh: ip: not found\n"),
    "killed after its time": ("ip", -9, "ip: timed out and was killed\n"),
    "another tool's words": ("sysctl", 1, "Another app is currently holding the xtables lock"),
    "silence": ("iptables", 4, ""),
}  # fmt: skip


@pytest.mark.parametrize(("tool", "code", "stderr"), NEVER.values(), ids=NEVER)
def test_never(tool: str, code: int, stderr: str) -> None:
    assert heals(tool, Result(code, "", stderr)) is None
