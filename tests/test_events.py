"""Events: frozen, one flat JSON object each, and no two of one name."""

# ruff: noqa: E501 — a row of a table is a line

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, fields

import pytest

from netlab import events
from netlab.events import Event, as_json

# fmt: off
EXAMPLES: dict[str, tuple[Event, dict[str, object]]] = {
    "begun": (events.WalkBegun("apply", ("a", "b")), {"event": "begun", "walk": "apply", "steps": ["a", "b"]}),
    "step": (events.StepBegun("nat", "Let out.", 1, 2), {"event": "step", "step": "nat", "summary": "Let out.", "held": 1, "total": 2}),
    "ran": (events.Ran("nat", "rule x", "iptables x", 0.5), {"event": "ran", "step": "nat", "operation": "rule x", "command": "iptables x", "seconds": 0.5, "shared": 1, "said": ""}),
    "gone": (events.GoneWith("nat", "veth1 up", "veth1"), {"event": "gone", "step": "nat", "operation": "veth1 up", "within": "veth1"}),
    "kept": (events.Kept("web", "process 7", "not ours"), {"event": "kept", "step": "web", "operation": "process 7", "why": "not ours"}),
    "done": (events.StepEnded("nat", 1, 1, 0.5), {"event": "done", "step": "nat", "held": 1, "changed": 1, "seconds": 0.5}),
    "retry": (events.Retried("ip link", "busy", 2, 0.1), {"event": "retry", "command": "ip link", "reason": "busy", "attempt": 2, "wait": 0.1}),
    "process": (events.Process("/bin/ip", -9, 0.5), {"event": "process", "argv": "/bin/ip", "code": -9, "seconds": 0.5}),
    "proof": (events.Proved("nat", "pings", "answers", "no", False, 1.0), {"event": "proof", "step": "nat", "probe": "pings", "expected": "answers", "observed": "no", "ok": False, "seconds": 1.0, "phase": "", "stays": False}),
    "left out": (events.LeftOut("nat", "pings", "too far"), {"event": "left out", "step": "nat", "probe": "pings", "why": "too far"}),
    "ended": (events.WalkEnded("apply", 3, 1.0), {"event": "ended", "walk": "apply", "changed": 3, "seconds": 1.0, "ok": True}),
    "note": (events.Note("hello"), {"event": "note", "text": "hello"}),
}
# fmt: on


@pytest.mark.parametrize(("event", "expected"), EXAMPLES.values(), ids=EXAMPLES)
def test_as_json(event: Event, expected: dict[str, object]) -> None:
    text = json.dumps(as_json(event))
    assert json.loads(text) == expected
    assert text.startswith('{"event": ')


@pytest.mark.parametrize("event", [event for event, _ in EXAMPLES.values()], ids=EXAMPLES)
def test_frozen(event: Event) -> None:
    with pytest.raises((FrozenInstanceError, AttributeError)):
        setattr(event, fields(event)[0].name, "other")


def test_every_event_has_a_name_of_its_own_and_is_shown_here() -> None:
    kinds = [
        each
        for each in vars(events).values()
        if isinstance(each, type) and issubclass(each, Event) and each is not Event
    ]
    assert {kind.name for kind in kinds} == EXAMPLES.keys()
    assert len(kinds) == len(EXAMPLES)
