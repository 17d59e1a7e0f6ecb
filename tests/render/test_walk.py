"""Events in, lines out: what apply, undo, prove and a cycle leave on the screen, whole."""

from collections.abc import Sequence

import pytest

from netlab.events import Event, GoneWith, Kept, Note, Proved, Ran, StepBegun, StepEnded, WalkBegun, WalkEnded
from netlab.render.walk import Walk


def shown(*events: Event, **options: bool) -> str:
    walk = Walk(clock=lambda: 7.0, **options)
    lines = [line for event in events for line in walk.feed(event)]
    return "\n".join(line.text.rstrip() for line in [*lines, *walk.finished()])


def ran(step: str, *commands: str) -> list[Event]:
    return [Ran(step, f"operation {number}", command, 0.01) for number, command in enumerate(commands)]


PING = Proved("bridge", "container1 pings 172.168.1.12", "answers", "64 bytes from 172.168.1.12", True, 0.1)
LOST = Proved("nat", "container1 pings 114.114.114.114", "answers", "100% packet loss", False, 1.0)

APPLY: list[Event] = [
    WalkBegun("apply", ("bridge", "gateway", "nat")),
    StepBegun("bridge", "Join.", 0, 2),
    *ran("bridge", "ip link add br0 type bridge", "ip link set br0 up"),
    StepEnded("bridge", 0, 2, 0.061),
    StepBegun("gateway", "An address.", 1, 1),
    StepEnded("gateway", 1, 0, 0.001),
    StepBegun("nat", "Out.", 0, 1),
    *ran("nat", "iptables -t nat -A POSTROUTING -j MASQUERADE"),
    StepEnded("nat", 0, 1, 0.02),
]


def test_apply() -> None:
    assert (
        shown(*APPLY, PING, WalkEnded("apply", 3, 0.5))
        == """\
✓ bridge   2 ran, 0 already there  0.06 s
    ip link add br0 type bridge
    ip link set br0 up
✓ gateway  0 ran, 1 already there  0.00 s
✓ nat      1 ran, 0 already there  0.02 s
    iptables -t nat -A POSTROUTING -j MASQUERADE

bridge
  ✓ container1 pings 172.168.1.12 — answers: 64 bytes from 172.168.1.12

✓ 3 operations ran, 1 already there, 1 proof right (0.50 s)"""
    )


def test_a_failing_proof() -> None:
    assert (
        shown(*APPLY, LOST, PING, WalkEnded("apply", 3, 2.5, ok=False)).split("MASQUERADE\n")[1]
        == """\
  ✗ container1 pings 114.114.114.114
      expected: answers
      observed: 100% packet loss
bridge
  ✓ container1 pings 172.168.1.12 — answers: 64 bytes from 172.168.1.12

✗ 1 of 2 proofs failed, 3 operations ran, 1 already there (2.50 s)"""
    )


def test_proofs_after_the_end_are_part_of_the_whole() -> None:
    now = iter(range(100))
    walk = Walk(clock=lambda: next(now))
    for event in [WalkBegun("apply", ("nat",)), WalkEnded("apply", 1, 0.5), LOST]:
        walk.feed(event)
    assert [line.text for line in walk.finished()] == [
        "",
        "✗ 1 of 1 proof failed, 1 operation ran, 0 already there (1.50 s)",
    ]
    assert walk.finished() == []
    assert not walk.ok


def test_walks_one_after_the_other() -> None:
    events = [WalkBegun("apply", ()), WalkEnded("apply", 2, 0.5), WalkBegun("undo", ()), WalkEnded("undo", 0, 0.1)]
    assert shown(*events) == "\n✓ 2 operations ran, 0 already there (0.50 s)\n\n✓ nothing to take back (0.10 s)"


def test_nothing_to_do() -> None:
    events = [WalkBegun("apply", ("nat",)), StepBegun("nat", "", 1, 1), StepEnded("nat", 1, 0, 0)]
    assert (
        shown(*events, WalkEnded("apply", 0, 0.3))
        == """\
✓ nat  0 ran, 1 already there  0.00 s

✓ nothing to do: 1 operation already there (0.30 s)"""
    )


def test_of_many_commands_a_few() -> None:
    many = ran("namespaces", *(f"ip netns add container{number}" for number in range(1, 201)))
    events = [WalkBegun("apply", ("namespaces",)), *many, StepEnded("namespaces", 0, 200, 0.5)]
    assert shown(*events).splitlines() == [
        "✓ namespaces  200 ran, 0 already there  0.50 s",
        *(f"    ip netns add container{number}" for number in range(1, 5)),
        "    … and 196 more",
    ]
    assert len(shown(*events, everything=True).splitlines()) == 201


def test_undo() -> None:
    events: list[Event] = [
        WalkBegun("undo", ("nat", "addresses", "namespaces")),
        StepBegun("nat", "", 0, 2),
        Ran("nat", "rule in nat POSTROUTING", "iptables -t nat -D POSTROUTING", 0.01),
        Ran("nat", "rule in nat POSTROUTING", "iptables -t nat -X NETLAB", 0.01),
        Kept("nat", "policy ACCEPT of FORWARD", "it was so before"),
        StepEnded("nat", 0, 1, 0.02),
        GoneWith("addresses", "address 172.168.1.11/24 on eth1 in container1", "container1"),
        StepEnded("addresses", 0, 0, 0),
        StepEnded("namespaces", 2, 0, 0),
    ]
    assert (
        shown(*events, WalkEnded("undo", 1, 0.1))
        == """\
✓ nat         1 taken back, 1 kept  0.02 s
    rule in nat POSTROUTING
      iptables -t nat -D POSTROUTING
      iptables -t nat -X NETLAB
    policy ACCEPT of FORWARD — kept: it was so before
✓ addresses   1 gone  0.00 s
    address 172.168.1.11/24 on eth1 in container1 — gone with container1
✓ namespaces  nothing to take back  0.00 s

✓ 1 taken back, 1 gone with what they lived in, 1 kept (0.10 s)"""
    )


def test_kept_is_shown_however_much_was_taken_back() -> None:
    many = ran("nat", *(f"iptables -D {number}" for number in range(200)))
    events = [WalkBegun("undo", ("nat",)), *many, Kept("nat", "a rule", "not ours"), StepEnded("nat", 0, 200, 1)]
    assert shown(*events).splitlines()[-2:] == ["    … and 196 more", "    a rule — kept: not ours"]


def test_nothing_to_take_back() -> None:
    assert shown(WalkBegun("undo", ()), WalkEnded("undo", 0, 0.01)) == "\n✓ nothing to take back (0.01 s)"


def phase(word: str, ok: bool, observed: str, *, stays: bool = False) -> Proved:
    return Proved("bridge", "ping", "answers", observed, ok, 0.1, word, stays)


@pytest.mark.parametrize(
    ("event", "lines"),
    [
        (phase("before", True, "unreachable"), ["  ✓ before  ping — not yet: unreachable"]),
        (phase("after", True, "64 bytes"), ["  ✓ after   ping — answers: 64 bytes"]),
        (phase("undone", True, "unreachable"), ["  ✓ undone  ping — no longer: unreachable"]),
        (phase("before", True, "64 bytes", stays=True), ["  ✓ before  ping — answers: 64 bytes"]),
        (phase("", True, ""), ["  ✓ ping — answers"]),
        (phase("", True, "answers"), ["  ✓ ping — answers"]),
        (
            phase("undone", False, "64 bytes"),
            ["  ✗ undone  ping", "      expected: answers", "      observed: 64 bytes"],
        ),
        (phase("after", False, ""), ["  ✗ after   ping", "      expected: answers", "      observed: nothing"]),
    ],
)
def test_proofs_in_their_phases(event: Proved, lines: Sequence[str]) -> None:
    assert shown(WalkBegun("prove", ("bridge",)), event).splitlines()[:-2] == ["bridge", *lines]


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([PING, WalkEnded("prove", 0, 1)], "✓ 1 proof right (1.00 s)"),
        ([PING, LOST, WalkEnded("prove", 0, 1, ok=False)], "✗ 1 of 2 proofs failed (1.00 s)"),
        ([PING], "✓ 1 proof right (0.00 s)"),
        ([LOST], "✗ 1 of 1 proof failed (0.00 s)"),
        ([WalkEnded("prove", 0, 0)], "✓ nothing to prove (0.00 s)"),
        ([WalkEnded("prove", 0, 0, ok=False)], "✗ failed (0.00 s)"),
    ],
)
def test_summary_of_prove(events: list[Event], words: str) -> None:
    assert shown(WalkBegun("prove", ("bridge", "nat")), *events).splitlines()[-1] == words


def test_a_prove_walk_that_begins_steps_shows_only_proofs() -> None:
    events = [WalkBegun("prove", ("bridge",)), StepBegun("bridge", "", 2, 2), PING, StepEnded("bridge", 2, 0, 0.1)]
    assert shown(*events).splitlines()[0] == "bridge"
    assert len(shown(*events).splitlines()) == 4


def test_quiet_shows_only_what_failed() -> None:
    assert shown(*APPLY, PING, WalkEnded("apply", 3, 0.5), quiet=True) == ""
    assert (
        shown(*APPLY, PING, LOST, WalkEnded("apply", 3, 0.5, ok=False), quiet=True)
        == """\
nat
  ✗ container1 pings 114.114.114.114
      expected: answers
      observed: 100% packet loss
✗ 1 of 2 proofs failed, 3 operations ran, 1 already there (0.50 s)"""
    )


@pytest.mark.parametrize(
    ("events", "ok"),
    [
        ([], True),
        ([WalkEnded("apply", 1, 1)], True),
        ([WalkEnded("apply", 1, 1, ok=False)], False),
        ([LOST], False),
        ([LOST, WalkBegun("prove", ()), PING, WalkEnded("prove", 0, 1)], False),
        ([Note("a sandbox was made")], True),
    ],
)
def test_ok(events: list[Event], ok: bool) -> None:
    walk = Walk()
    for event in events:
        walk.feed(event)
    assert walk.ok is ok


@pytest.mark.parametrize(
    ("events", "lines"),
    [
        ([], []),
        (APPLY[:2], ["✗ bridge   stopped before its first command  0.00 s"]),
        (
            APPLY[:3],
            ["✗ bridge   stopped after 1 command  0.00 s", "    ip link add br0 type bridge"],
        ),
        (APPLY[:5], []),
        ([*APPLY, WalkEnded("apply", 3, 0.5)], ["", "✓ 3 operations ran, 1 already there (0.50 s)"]),
    ],
)
def test_stopped(events: list[Event], lines: list[str]) -> None:
    walk = Walk(clock=lambda: 7.0)
    for event in events:
        walk.feed(event)
    assert [line.text for line in walk.stopped()] == lines


def test_stopped_quietly() -> None:
    walk = Walk(quiet=True)
    walk.feed(APPLY[0])
    walk.feed(APPLY[1])
    assert walk.stopped() == []
