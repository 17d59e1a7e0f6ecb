"""Drawings as they look, from facts: tests/data/drawings/*.txt are to be read. NETLAB_REDRAW=1 writes them anew."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from netlab.course import default_folder
from netlab.foresight import foresee
from netlab.lab import Choice
from netlab.model import Address, Facts, Link, Listener, Operation, Query, Route
from netlab.operations import address, bridge, namespace, port, rule, up, veth
from netlab.operations import policy as policy_of
from netlab.picture import NOTHING, Picture, picture, queries
from netlab.reading import NOWHERE
from netlab.render.drawing import drawing
from netlab.render.lines import cells, is_plain, spell
from netlab.render.mermaid import mermaid

FOLDER = Path(__file__).resolve().parent.parent / "data/drawings"

Extra = Sequence[Operation]


@cache
def labs(containers: int = 2) -> dict[str, tuple[Picture, Facts, frozenset[Query]]]:
    """The default lab after each step, "" before the first: its picture, its facts and what they answer."""
    choice = Choice.of(default_folder(), {"containers": containers})
    asked = queries((*choice.course.surroundings.NODES, *choice.declared(), "stray"))
    facts = foresee(NOWHERE, choice.course.surroundings.operations(choice.parameters), asked)
    found = {"": (look(facts), facts, asked)}
    for chapter in choice.chapters:
        facts = foresee(facts, [each for each in chapter.operations if not each.holds(facts)], asked)
        found[chapter.name] = (look(facts), facts, asked)
    return found


def look(facts: Facts) -> Picture:
    return picture(facts, facts.namespaces().live, ("router", "client", "internet"))


def after(step: str, *extra: Operation, containers: int = 2, **changes: Any) -> Picture:
    """The lab after a step, with more in it; ``changes`` are answers that replace those of the lab host's stack."""
    _, facts, asked = labs(containers)[step]
    facts = foresee(facts, extra, asked)
    if changes:
        stack = replace(facts.stack(None), **changes)
        facts = Facts({**{query: facts.answers[query] for query in asked}, Query("stack"): stack})
    return look(facts)


LAST = "publish"
STEPS = [name for name in labs() if name]


def without(netns: str, query: str) -> Picture:
    """The whole lab, where one container's stack has lost something."""
    _, facts, asked = labs(100)[LAST]
    stack = facts.stack(netns)
    lost = replace(stack, routes=()) if query == "routes" else replace(stack, addresses=())
    return look(Facts({**{each: facts.answers[each] for each in asked}, Query("stack", netns): lost}))


def uncabled(containers: int, *cards: str) -> dict[str, Link]:
    """The lab host's cards, without some."""
    links = labs(containers)[LAST][1].stack(None).links
    return {name: link for name, link in links.items() if name not in cards}


STRAY = (
    namespace("stray"),
    bridge("br1"),
    up("br1"),
    address("10.8.0.1/24", "br1"),
    veth("veth9", "eth9", "stray"),
    port("veth9", "br1"),
    up("veth9"),
    up("eth9", "stray"),
    address("10.8.0.2/24", "eth9", "stray"),
    veth("tie", "tie", "container2", "container1"),
)


def drawings() -> Iterator[tuple[str, Picture, Picture | None, int]]:
    """Name, picture, the one that it is compared with, columns."""
    before = ""
    for step in STEPS:
        yield f"step-{step}", labs()[step][0], labs()[before][0], 80
        before = step
    for columns in (60, 80, 120):
        yield f"whole-{columns}", labs()[LAST][0], None, columns
    for many in (1, 3, 10, 100):
        yield f"containers-{many}", labs(many)[LAST][0], None, 80
    yield "containers-10-wide", labs(10)[LAST][0], None, 120
    yield "containers-100-one-unlike", without("container57", "routes"), None, 120
    yield "containers-100-new", labs(100)["namespaces"][0], labs(100)[""][0], 80
    yield "nothing", NOTHING, None, 80
    yield "bare", labs()[""][0], None, 80
    yield "second-bridge", after(LAST, *STRAY), labs()[LAST][0], 120
    yield "second-bridge-80", after(LAST, *STRAY), None, 80
    yield "forward-drop", after(LAST, policy_of("filter", "FORWARD", "DROP")), None, 80
    accept = rule("filter", "FORWARD", "-i", "br0", "-j", "ACCEPT")
    yield "forward-drop-but", after(LAST, policy_of("filter", "FORWARD", "DROP"), accept), None, 80
    yield "other-rules", after(LAST, rule("nat", "OUTPUT", "-o", "lo", "-j", "REDIRECT")), None, 80
    stack = labs()[LAST][1].stack(None)
    links = {**stack.links, "ens33": replace(stack.links["ens33"], up=False)}
    yield "uplink-down", after(LAST, links=links, routes=()), None, 80
    yield "first-cable-cut", after(LAST, links=uncabled(2, "veth1")), None, 80
    yield "middle-cable-cut", after(LAST, containers=3, links=uncabled(3, "veth2")), None, 80
    yield "outer-cables-cut", after(LAST, containers=3, links=uncabled(3, "veth1", "veth3")), None, 80
    yield "no-gateway", after(LAST, addresses=[each for each in stack.addresses if each.dev != "br0"]), None, 80
    cards = {
        "dummy0": Link("dummy0", 90, "dummy", up=True),
        **{f"tap{n}": Link(f"tap{n}", 91 + n, "tun", up=False) for n in range(5)},
    }
    with_dummy = (*stack.addresses, Address("dummy0", "10.9.9.9/24"))
    yield "stray-cards", after(LAST, links={**stack.links, **cards}, addresses=with_dummy), None, 80


TABLE = list(drawings())


@pytest.mark.parametrize(("name", "now", "since", "columns"), TABLE, ids=[each[0] for each in TABLE])
def test_it_looks_like_this(name: str, now: Picture, since: Picture | None, columns: int) -> None:
    text = "".join(f"{each.text.rstrip()}\n" for each in drawing(now, since=since, columns=columns))
    file = FOLDER / f"{name}.txt"
    if os.environ.get("NETLAB_REDRAW"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def test_every_drawing_is_one_of_these() -> None:
    assert sorted(each.stem for each in FOLDER.glob("*.txt")) == sorted(each[0] for each in TABLE)


@pytest.mark.parametrize("columns", [20, 40, 60, 72, 80, 100, 120, 200])
@pytest.mark.parametrize("containers", [1, 2, 3, 10, 100])
def test_a_drawing_is_no_wider_than_it_may_be(containers: int, columns: int) -> None:
    lines = drawing(labs(containers)[LAST][0], columns=columns)
    boxes = [each for each in lines if each.hang is None]
    assert all(cells(each.text) <= columns for each in boxes)
    assert bool(boxes) == (columns >= 72)


def test_at_80_by_24_the_whole_lab_and_a_prompt_are_seen() -> None:
    assert len(drawing(labs()[LAST][0], columns=80)) == 23


@pytest.mark.parametrize("step", STEPS)
def test_each_step_adds_something_to_see(step: str) -> None:
    """Of the eleven, and with a legend that says what the marks mean."""
    before = labs()[["", *STEPS][STEPS.index(step)]][0]
    lines = drawing(labs()[step][0], since=before, legend="and double lines: what the step adds")
    assert lines[-1].text == "+ and double lines: what the step adds"
    assert sum("+" in each.text for each in lines[:-1]) > 0


def wire(whole: Picture, row: str) -> str:
    """The style of the wire in the row of that gate."""
    found = next(each for each in drawing(whole) if f" {row} " in each.text)
    return next(style for text, style in found.spans if text.strip(" ") in ("│", "╳", "▲", "▼") and style != "dim")


@pytest.mark.parametrize(
    ("whole", "row", "expected"),
    [
        (after(LAST), "ip_forward", "green"),
        (after(LAST), "POSTROUTING", "green"),
        (after("forwarding"), "PREROUTING", "green"),
        (after("routes"), "ip_forward", "bold red"),
        (after(LAST, policy_of("filter", "FORWARD", "DROP")), "ip_forward", "green"),
        (after(LAST, policy_of("filter", "FORWARD", "DROP")), "FORWARD", "bold red"),
    ],
)
def test_the_wire_is_green_as_far_as_a_packet_comes(whole: Picture, row: str, expected: str) -> None:
    assert wire(whole, row) == expected


def test_below_a_cut_nothing_is_green() -> None:
    lines = drawing(after(LAST, policy_of("filter", "FORWARD", "DROP")))
    below = [each for each in lines if "▲" in each.text or "▼" in each.text]
    assert len(below) == 3
    assert not [span for each in below for span in each.spans if span[1] == "green"]


def test_nothing_new_has_no_mark() -> None:
    now = labs()[LAST][0]
    assert drawing(now, since=now) == drawing(now)


@pytest.mark.parametrize(("name", "now", "since", "columns"), TABLE, ids=[each[0] for each in TABLE])
def test_in_ascii_every_symbol_keeps_its_place(name: str, now: Picture, since: Picture | None, columns: int) -> None:
    class Stream:
        encoding = "ascii"

    assert is_plain(Stream(), {})  # type: ignore[arg-type]
    for each in drawing(now, since=since, columns=columns):
        spelled = spell(each.text, Stream(), plain=True)  # type: ignore[arg-type]
        assert spelled.isascii()
        assert len(spelled) == cells(each.text)


def test_a_name_cannot_steer_the_terminal() -> None:
    """Such names the kernel takes, and shows."""
    stack = labs()[LAST][1].stack(None)
    evil = "a\x1b[31m\u202eb"
    shown = after(LAST, links={**stack.links, evil: Link(evil, 90, "dummy", up=True)})
    assert any(r"a\x1b[31m\u202eb  no address" in each.text for each in drawing(shown))
    assert "\x1b" not in mermaid(shown)


def test_a_wide_name_keeps_the_boxes_straight() -> None:
    stack = labs()[LAST][1].stack(None)
    shown = after(LAST, links={**stack.links, "网桥": Link("网桥", 90, "dummy", up=True)})
    lines = drawing(shown)
    (row,) = [each.text for each in lines if "网桥" in each.text]
    (above,) = {cells(each.text) for each in lines if "FORWARD" in each.text}
    assert cells(row) == above


def test_a_server_of_the_host_and_a_second_route_stand_beside_the_way() -> None:
    stack = labs()[LAST][1].stack(None)
    shown = after(LAST, routes=(*stack.routes, Route("10.77.0.0/16", "ens33", "192.168.0.2")))
    shown = replace(shown, host=replace(shown.host, ports=("22", "127.0.0.1:5432")))
    text = "\n".join(each.text for each in drawing(shown))
    assert "also  │  10.77.0.0/16 via 192.168.0.2" in text
    assert "listens on tcp 22, 127.0.0.1:5432" in text


def test_mermaid_shows_every_card_once_and_every_cable() -> None:
    now = labs()[LAST][0]
    text = mermaid(now)
    cards = [card for node in now.nodes for card in node.cards]
    assert text.startswith("graph TB\n")
    assert len(re.findall(r'(?m)^ +(?:c\d+|subgraph n\d+)\["', text)) == len(cards) + len(now.nodes)
    assert text.count(" === ") == sum(card.far is not None for card in cards) / 2
    assert text.count("subgraph") == text.count("    end\n") == len(now.nodes)
    assert "POSTROUTING MASQUERADE 172.168.1.0/24 by ens33" in text


def test_mermaid_takes_no_name_for_its_own() -> None:
    stack = labs()[LAST][1].stack(None)
    text = mermaid(after(LAST, links={**stack.links, 'x"--><b>': Link('x"--><b>', 90, "dummy", up=True)}))
    assert '["x#34;--#62;#60;b#62; (dummy)"]' in text


def test_listeners_are_those_of_the_facts() -> None:
    _, facts, asked = labs()[LAST]
    answers = {**{query: facts.answers[query] for query in asked}}
    answers[Query("listeners", "container1")] = frozenset({Listener("127.0.0.1", 81), Listener("::", 80)})
    assert look(Facts(answers)).containers[0].ports == ("80", "127.0.0.1:81")
