"""The journal: what is written is read again, whatever it is, and however the file was cut short."""

from __future__ import annotations

import errno
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from netlab import spelling
from netlab.errors import Missing, UnsafeState
from netlab.journal import VERSION, Entry, Journal
from netlab.model import Facts, Link, Operation, Query, Stack
from netlab.operations import (
    address,
    bridge,
    dump,
    load,
    namespace,
    policy,
    port,
    route,
    rule,
    service,
    sysctl,
    up,
    veth,
)
from netlab.operations.iptables import Rule

NAMES = st.from_regex(r"[a-z0-9][A-Za-z0-9._-]{0,14}", fullmatch=True).filter(spelling.is_name)
STACKS = st.just("") | NAMES
WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1)
ADDRESSES = st.ip_addresses(v=4).map(str)
# Whatever its constructor takes: a field is a string, a number, a bool or a tuple of strings, for a journal to hold it.
OPERATIONS: st.SearchStrategy[Operation] = st.one_of(
    st.builds(address, st.from_regex(r"(10\.){3}[0-9]/[12][0-9]", fullmatch=True), NAMES, STACKS),
    st.builds(bridge, NAMES, STACKS),
    st.builds(namespace, NAMES),
    st.builds(policy, WORDS, WORDS, WORDS, STACKS),
    st.builds(port, NAMES, NAMES, STACKS),
    st.builds(route, st.just("default") | ADDRESSES, NAMES, st.just("") | ADDRESSES, STACKS, st.booleans()),
    st.builds(Rule, WORDS, WORDS, st.lists(WORDS).map(tuple), STACKS),
    st.builds(
        service, NAMES, st.lists(WORDS).map(tuple), st.integers(1, 65535), st.just("http://10.0.0.1:80/"), st.text()
    ),
    st.builds(sysctl, WORDS, WORDS, STACKS),
    st.builds(up, NAMES, STACKS),
    st.builds(veth, NAMES, NAMES, NAMES, STACKS),
)
BEFORE = (
    st.none() | st.text() | st.dictionaries(st.text(), st.text() | st.booleans() | st.integers() | st.lists(st.text()))
)
ENTRIES = st.lists(
    st.builds(Entry, st.text(), OPERATIONS, BEFORE), max_size=6, unique_by=lambda entry: repr(entry.operation)
)

ONE = Entry("nat", rule("nat", "POSTROUTING", "-j", "MASQUERADE"), {"copies": 0, "chains": []})
TWO = Entry("publish", rule("nat", "PREROUTING", "-p", "tcp", "-j", "DNAT"), {"copies": 0, "chains": ["POSTROUTING"]})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def test_what_was_brought_along_is_nobody_elses(path: Path) -> None:
    """The first rule brings its chain; with a `before` without it, the second one lets undo remove all in any order."""
    journal = Journal(path)
    assert journal.brought() == frozenset()
    journal.record([ONE])
    assert journal.brought() == {("chain", "", "nat", "POSTROUTING")}
    assert TWO.operation.beside(TWO.before, journal.brought()) == {"copies": 0, "chains": []}
    journal.besides = lambda: frozenset({("chain", "", "nat", "OUTPUT")})
    journal.record([TWO])
    assert {thing[3] for thing in journal.brought()} == {"POSTROUTING", "PREROUTING", "OUTPUT"}


@pytest.mark.parametrize(
    ("before", "netns", "chain", "chains"),
    [
        (["POSTROUTING", "OUTPUT"], "", "POSTROUTING", ["OUTPUT"]),
        (["POSTROUTING"], "a", "POSTROUTING", ["POSTROUTING"]),
        (["*", "POSTROUTING"], "", "POSTROUTING", ["*"]),
        ([""], "", "POSTROUTING", [""]),
    ],
)
def test_what_was_somebody_elses_stays(before: list[str], netns: str, chain: str, chains: list[str]) -> None:
    brought = frozenset({("chain", netns, "nat", chain)})
    for each in (TWO.operation, policy("nat", "OUTPUT", "ACCEPT")):
        assert each.beside({"chains": before}, brought) == {"chains": chains}


@given(OPERATIONS)
def test_an_operation_comes_back_as_it_was(operation: Operation) -> None:
    assert load(json.loads(json.dumps(dump(operation)))) == operation


@given(ENTRIES, st.lists(st.text(), max_size=3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_entries_come_back_as_they_were(path: Path, entries: list[Entry], done: list[str]) -> None:
    path.unlink(missing_ok=True)
    written = Journal(path)
    for entry in entries:
        written.record([entry])
    for step in done:
        written.finish(step)
    read = Journal(path)
    assert (read.entries, read.done) == (entries, set(done)) == (written.entries, written.done)


def test_nothing_is_written_before_there_is_something(path: Path) -> None:
    assert (Journal(path).entries, Journal(path).done) == ([], set())
    assert not path.exists()


def test_it_is_on_disk_before_it_is_believed(path: Path) -> None:
    journal = Journal(path)
    journal.record([ONE])
    assert Journal(path).entries == [ONE]
    assert json.loads(path.read_text().splitlines()[0]) == {"journal": VERSION}
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_first_state_before_counts(path: Path) -> None:
    """A second apply of what has drifted must not make our own state the one to go back to."""
    journal = Journal(path)
    again = Entry(ONE.step, ONE.operation, {"copies": 1, "chains": ["POSTROUTING"]})
    journal.record([ONE])
    journal.record([again])
    assert journal.entries == [ONE] == Journal(path).entries


def test_a_step_is_done_once(path: Path) -> None:
    journal = Journal(path)
    journal.finish("nat")
    size = path.stat().st_size
    journal.finish("nat")
    assert path.stat().st_size == size


def test_what_is_taken_back_is_gone(path: Path) -> None:
    journal = Journal(path)
    journal.record([ONE, TWO])
    journal.finish("nat")
    journal.finish("publish")
    journal.undone(["publish"])
    for each in (journal, Journal(path)):
        assert (each.entries, each.done) == ([ONE], {"nat"})
    journal.record([TWO])  # and can be done again
    assert Journal(path).entries == [ONE, TWO]


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_cut_anywhere(path: Path, data: st.DataObject) -> None:
    """Whatever byte is the last one on disk: whole lines count, the torn one does not, and writing goes on."""
    path.unlink(missing_ok=True)
    journal = Journal(path)
    journal.record([ONE, TWO])
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    lines = whole[:cut].count(b"\n")
    assert Journal(path).entries == [ONE, TWO][: max(0, lines - 1)]
    again = Journal(path)
    again.record([ONE, TWO])
    again.finish("nat")
    assert (Journal(path).entries, Journal(path).done) == ([ONE, TWO], {"nat"})


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        "[]",
        "no JSON",
        "null",
        '{"step": "x", "operation": {"kind": "teapot"}, "before": null}',
        '{"step": "x", "operation": {"kind": "rule", "colour": "blue"}, "before": null}',
        '{"step": "x", "operation": {"kind": "namespace", "name": "a"}}',
        '{"undone": 7}',
        "\x00" * 10,
    ],
)
def test_a_line_that_nobody_understands(path: Path, line: str) -> None:
    Journal(path).record([ONE])
    text = path.read_text() + line + "\n"
    path.write_text(text)
    with pytest.raises(UnsafeState, match=r"line 3 of the journal .* cannot be understood") as caught:
        Journal(path)
    assert caught.value.code == 4
    assert path.read_text() == text


def test_a_newer_one(path: Path) -> None:
    path.write_text(f'{{"journal": {VERSION + 1}}}\n{{"what": "ever"}}\n')
    with pytest.raises(UnsafeState, match="newer netlab"):
        Journal(path)


def test_one_that_is_a_folder_or_a_link(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    Journal(other).record([ONE])
    path.symlink_to(other)
    with pytest.raises(UnsafeState):
        Journal(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(UnsafeState):
        Journal(path)


# --- what came of it -------------------------------------------------------------------------------------------------

BRIDGE = Entry("bridge", bridge("br0"), None)


def shows(index: int) -> Facts:
    links = {"br0": Link("br0", index, "bridge", up=False)} if index else {}
    return Facts({Query("stack"): Stack(links)})


def test_what_was_made_is_told_from_another_of_its_name(path: Path) -> None:
    journal = Journal(path)
    journal.record([BRIDGE])
    for each in (journal, Journal(path)):
        assert not each.remade(BRIDGE.operation, shows(5)), "nobody saw what it was"
        assert each.still(BRIDGE.operation, shows(5)) is None
    journal.made({BRIDGE.operation: "4"})
    for each in (journal, Journal(path)):
        assert [each.remade(BRIDGE.operation, shows(index)) for index in (4, 5, 0)] == [False, True, False]
        assert each.still(BRIDGE.operation, shows(4)) == replace(BRIDGE, identity="4")
        assert each.still(BRIDGE.operation, shows(5)) is each.still(BRIDGE.operation, shows(0)) is None


def test_what_is_adopted_is_not_ours_any_more(path: Path) -> None:
    journal = Journal(path)
    journal.record([BRIDGE])
    journal.made({BRIDGE.operation: "4"})
    journal.adopt("bridge", BRIDGE.operation)
    for each in (journal, Journal(path)):
        assert (each.entries, each.ours) == ([], {BRIDGE.operation})


def test_what_undo_was_about_to_take_back(path: Path) -> None:
    journal = Journal(path)
    journal.record([ONE, TWO])
    journal.taking([replace(ONE, before={"copies": 0, "chains": [], "taking": 2})])
    for each in (journal, Journal(path)):
        assert each.entries == [replace(ONE, before={"copies": 0, "chains": [], "taking": 2}), TWO]


def test_a_full_disk_leaves_no_half_a_line(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(path)
    journal.record([ONE])
    before = path.read_bytes()

    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Missing, match="cannot be written: No space left on device"):
        journal.record([TWO])
    assert path.read_bytes() == before
    assert journal.entries == [ONE]
