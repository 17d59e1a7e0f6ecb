"""The walk on a real lab, with a learner who types in a shell of their own: rightly, wrongly, out of order."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from netlab.course import default_folder
from netlab.lab import SandboxLab
from netlab.learn.bench import LabBench
from netlab.learn.desk import Desk
from netlab.learn.lessons import read_all
from netlab.learn.scenes import Ask, Key, Said, Scene, Tick, Ticks, Title, Typing
from netlab.learn.walk import walk
from netlab.state import State
from tests.kernel.runner import Netlab, until
from tests.kernel.tutorial import PLAN, STEPS

pytestmark = pytest.mark.kernel

MEASURED = False

RED: list[Key | str] = ["next", "next", "1", "next"]
"""What leads through a step's lesson and its question."""


class Learner:
    """Who presses keys, and types when a second passes: a line that is no key is typed in a shell of the lab."""

    def __init__(self, netlab: Netlab, *, hands_on: bool = True) -> None:
        self.netlab, self.hands_on = netlab, hands_on
        with self._opened(make=False) as lab:
            self.choice = lab.choose(default_folder(), {})

    @contextmanager
    def _opened(self, *, make: bool) -> Iterator[SandboxLab]:
        lab = SandboxLab(State(self.netlab.base, "default"))
        with lab.state.locked(60, make=make):
            lab.bury()
            yield lab

    def learns(self, moves: Sequence[Key | str], step: str | None = None) -> list[Scene | Ask]:
        """What is shown and asked until the last move is made; the walk is then at its next question."""
        bench = LabBench(self._opened, self.choice)
        lessons = read_all(default_folder(), STEPS, "en")
        desk = Desk(bench, lessons, "en", hands_on=self.hands_on, recalled=bench.recall())
        walking, waiting = walk(desk, step), list(moves)
        shown = [next(walking)]
        while True:
            scene, pressed = shown[-1], None
            if isinstance(scene, Ask):
                if not waiting:
                    walking.close()
                    return shown
                move = waiting.pop(0)
                if move in scene.keys:
                    pressed = move
                else:
                    assert scene.seconds, f"nobody waits for {move}: {scene}"
                    self.netlab.type(move)
            try:
                shown.append(walking.send(pressed))
            except StopIteration:
                return shown


@pytest.fixture
def learner(netlab: Netlab) -> Learner:
    return Learner(netlab)


def said(shown: Sequence[Scene | Ask]) -> list[str]:
    return [each.key for each in shown if isinstance(each, Said)]


def states(shown: Sequence[Scene | Ask]) -> list[str]:
    """Each time the ticks were shown, their states by a letter: open, done, wrong, in the way."""
    return ["".join(each.state[0] for each in one.ticks) for one in shown if isinstance(one, Ticks)]


def why(shown: Sequence[Scene | Ask]) -> str:
    asked = shown[-1]
    assert isinstance(asked, Ask)
    return asked.why


def told(shown: Sequence[Scene | Ask]) -> list[Tick]:
    return [each for one in shown if isinstance(one, Ticks) for each in one.ticks if each.why]


def finish(learner: Learner, *, done: Sequence[str]) -> None:
    assert [step for step, state in learner.netlab.states().items() if state == "done"] == [*done]
    learner.netlab("undo")
    assert learner.netlab.left() == []


def test_typed_rightly_and_out_of_order(learner: Learner) -> None:
    first, second = PLAN["namespaces"]
    shown = learner.learns([*RED, second, first, "next", "next", "next"])
    assert states(shown) == ["oo", "od", "dd"]
    assert [each.step for each in shown if isinstance(each, Title)] == ["namespaces", "veth"]
    finish(learner, done=["namespaces"])


def test_typed_otherwise_than_the_lesson_has_it(learner: Learner) -> None:
    """In two commands, as the tutorial has it; in between the other end is in the wrong place, which is said."""
    lines = ["ip link add veth1 type veth peer name eth1", "ip link set eth1 netns container1", PLAN["veth"][1]]
    shown = learner.learns([*RED, *lines, "next", "next"], "veth")
    assert states(shown) == ["oo", "wo", "do", "dd"]
    assert [each.why for each in told(shown)] == ["eth1 is still on the lab host, the step wants it in container1"]
    assert why(shown) == "ask.on"
    finish(learner, done=["namespaces", "veth"])


def test_typed_wrongly_and_then_rightly(learner: Learner) -> None:
    wrong = "ip netns exec container1 ip addr add 172.168.1.11/16 dev eth1"
    right = "ip netns exec container1 ip addr del 172.168.1.11/16 dev eth1"
    shown = learner.learns([*RED, wrong, right, *PLAN["addresses"], "next"], "addresses")
    assert [each.why for each in told(shown)] == ["eth1 has 172.168.1.11/16, the step wants /24"]
    assert states(shown)[:4] == ["oooooo", "wooooo", "oooooo", "dooooo"]
    assert why(shown) == "ask.kernel"
    finish(learner, done=["namespaces", "veth", "addresses"])


def test_what_is_in_the_way_is_reset(learner: Learner) -> None:
    """A cable of the bridge's name: reset takes it away, though a hand has typed it."""
    shown = learner.learns([*RED, "ip link add br0 type veth peer name other", "reset", "solve", "next"], "bridge")
    assert "hands.in_the_way" in said(shown)
    assert [each.why for each in told(shown)] == ["br0 is there already: a veth"]
    assert [each.command for each in shown if isinstance(each, Typing)] == PLAN["bridge"]
    assert why(shown) == "ask.kernel"
    finish(learner, done=["namespaces", "veth", "addresses", "bridge"])


def test_a_detour(learner: Learner) -> None:
    """The lesson's own "try" switches a card of an earlier step off: that is said, and nothing is put back for them."""
    off, on = "ip link set veth1 down", "ip link set veth1 up"
    shown = learner.learns([*RED, off, on, *PLAN["loopback"], "next"], "loopback")
    assert said(shown).count("hands.drifted") == 1
    assert why(shown) == "ask.kernel"
    finish(learner, done=["namespaces", "veth", "addresses", "loopback"])


def test_hints_to_the_last_and_solve(learner: Learner) -> None:
    shown = learner.learns([*RED, "hint", "hint", "hint", "solve", "next", "next"], "gateway")
    assert said(shown).count("learn.hint") == 3
    assert [each.command for each in shown if isinstance(each, Typing)] == PLAN["gateway"]
    finish(learner, done=["namespaces", "veth", "addresses", "bridge", "gateway"])


def test_guided_and_somebody_types_beside_it(netlab: Netlab) -> None:
    learner = Learner(netlab, hands_on=False)
    shown = learner.learns([*RED, "next", "next", "next"], "namespaces")
    assert why(shown) == "ask.on"
    netlab.type(PLAN["veth"][1])
    shown = learner.learns([*RED, "next"], "veth")
    assert [each.command for each in shown if isinstance(each, Typing)] == PLAN["veth"][:1]
    assert "learn.there" in said(shown)
    finish(learner, done=["namespaces", "veth"])


def test_back_and_jump(netlab: Netlab) -> None:
    """Back to a step that stands, and on to one far away: what that one needs is applied, and said."""
    learner = Learner(netlab, hands_on=False)
    shown = learner.learns([*RED, "solve", "next", "next", "previous", *["list", *["down"] * 6, "next"]], "namespaces")
    assert [each.step for each in shown if isinstance(each, Title)] == ["namespaces", "veth", "namespaces", "routes"]
    assert said(shown)[-1] == "learn.brought"
    finish(learner, done=["namespaces", "veth", "addresses", "bridge", "gateway"])


def test_come_back_to_where_it_was(netlab: Netlab) -> None:
    learner = Learner(netlab, hands_on=False)
    learner.learns([*RED, "next", "quit"], "namespaces")
    shown = learner.learns([])
    assert (said(shown)[0], why(shown)) == ("learn.back", "ask.run")
    assert [each.command for each in shown if isinstance(each, Typing)] == PLAN["namespaces"][1:]
    finish(learner, done=[])


def test_come_back_after_somebody_was_there(netlab: Netlab) -> None:
    learner = Learner(netlab, hands_on=False)
    learner.learns([*RED, "solve", "next", "quit"], "veth")
    netlab.type("ip link del veth2", "ip netns del container1")
    shown = learner.learns([])
    assert said(shown) == ["learn.changed", "learn.brought"]
    assert [each.step for each in shown if isinstance(each, Title)] == ["veth"]
    assert netlab.states()["veth"] == "todo"  # not done because a file said so
    finish(learner, done=["namespaces"])


def test_come_back_after_the_machine_was_restarted(netlab: Netlab) -> None:
    """As when the holder is killed: the lab is gone, and the learner's place is not."""
    learner = Learner(netlab, hands_on=False)
    learner.learns([*RED, "solve", "next", "quit"], "bridge")
    os.kill(netlab.holder(), signal.SIGKILL)
    until(lambda: not netlab.holders())
    shown = learner.learns([])
    assert said(shown) == ["learn.changed", "learn.brought"]
    assert [each.step for each in shown if isinstance(each, Title)] == ["bridge"]
    finish(learner, done=["namespaces", "veth", "addresses"])


def test_come_back_after_the_sandbox_was_ended(netlab: Netlab) -> None:
    learner = Learner(netlab, hands_on=False)
    learner.learns([*RED, "solve", "next", "quit"], "bridge")
    netlab("sandbox", "end")
    shown = learner.learns([])
    assert [each.step for each in shown if isinstance(each, Title)] == ["namespaces"]
    assert said(shown) == ["learn.welcome"]
    finish(learner, done=[])
