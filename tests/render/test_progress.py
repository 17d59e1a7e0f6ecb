"""The living lines: the step that runs, those that wait, the bar; always within the terminal."""

import pytest

from netlab.events import Event, Proved, Ran, StepBegun, StepEnded, WalkBegun, WalkEnded
from netlab.render.lines import cells
from netlab.render.progress import progress
from netlab.render.walk import Walk

STEPS = ("bridge", "gateway", "nat", "web")
DONE: list[Event] = [WalkBegun("apply", STEPS), StepBegun("bridge", "Join.", 0, 1), StepEnded("bridge", 0, 1, 0.1)]
RUNS: list[Event] = [StepBegun("gateway", "An address.", 1, 3), Ran("gateway", "address", "ip addr add", 0.1)]
PING = Proved("bridge", "ping", "answers", "64 bytes", True, 0.1)


def living(*events: Event, columns: int = 80, rows: int = 24, plain: bool = False) -> list[str]:
    walk = Walk(clock=lambda: 7.0)
    for event in events:
        walk.feed(event)
    return [line.text for line in progress(walk, columns, rows, plain=plain)]


def test_before_and_after_a_walk_nothing_lives() -> None:
    assert living() == []
    walk = Walk()
    walk.feed(DONE[0])
    walk.finished()
    assert progress(walk, 80, 24, plain=False) == []


def test_a_step_runs_and_others_wait() -> None:
    assert living(*DONE, *RUNS) == [
        "⠋ gateway  2 of 3  0.0 s  An address.",
        "    ip addr add",
        "· nat",
        "· web",
        "━" * 10 + "─" * 30 + "  1 of 4 steps, 0.00 s",
    ]
    assert living(*DONE, *RUNS, plain=True)[0] == "- gateway  2 of 3  0.0 s  An address."


def test_between_steps() -> None:
    assert living(*DONE)[:2] == ["⠋ looking", "· gateway"]
    assert living(WalkBegun("undo", STEPS))[:2] == ["⠋ taking back", "· bridge"]


@pytest.mark.parametrize("walk", ["apply", "prove"])
def test_proving(walk: str) -> None:
    assert living(WalkBegun(walk, STEPS), PING) == ["⠋ proving bridge  0.00 s, 1 proof right so far"]


def test_after_the_last_step_it_is_proved() -> None:
    done = [StepEnded(step, 0, 1, 0.1) for step in STEPS]
    assert living(WalkBegun("apply", STEPS), *done) == ["⠋ proving  0.00 s"]
    assert living(WalkBegun("apply", STEPS), *done, WalkEnded("apply", 4, 1)) == ["⠋ proving  0.00 s"]


def test_a_prove_walk_before_its_first_proof() -> None:
    assert living(WalkBegun("prove", STEPS)) == ["⠋ proving  0.00 s"]


@pytest.mark.parametrize("rows", [1, 5, 6, 10, 24])
def test_it_never_fills_the_terminal(rows: int) -> None:
    steps = tuple(f"step{number}" for number in range(100))
    lines = living(WalkBegun("apply", steps), StepBegun("step0", "", 0, 1), rows=rows)
    assert len(lines) < max(rows, 5)
    if rows == 10:
        assert lines[-2] == "  … and 95 more"


@pytest.mark.parametrize(("columns", "bar"), [(120, 40), (80, 40), (40, 18), (20, 0), (1, 0)])
def test_the_bar_fits(columns: int, bar: int) -> None:
    last = living(*DONE, columns=columns)[-1]
    assert sum(last.count(each) for each in "━─") == bar
    assert cells(last) <= max(columns, 22)


def test_a_walk_of_no_steps() -> None:
    assert living(WalkBegun("undo", ()))[-1].endswith("0 of 0 steps, 0.00 s")
