"""The walk over a bench without a lab: keys in, scenes out."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from netlab.difference import Change
from netlab.errors import Conflict
from netlab.learn.alone import alone
from netlab.learn.progress import PAGES, Page, Progress
from netlab.learn.scenes import (
    Ask,
    Changed,
    Drawn,
    Key,
    Language,
    Listed,
    Printed,
    Question,
    Said,
    Seen,
    Summary,
    Text,
    Tick,
    Ticks,
    Title,
    Typing,
    Verdict,
    Words,
)
from netlab.learn.walk import walk
from tests.learn.fake import STEPS, FakeBench, desk, take, whole

LESSON: list[Key | None] = ["next", "next"]
"""What leads through the lesson to the question."""
RED: list[Key | None] = [*LESSON, "2", "next"]
"""And through the question to the commands."""
GREEN: list[Key | None] = ["next", "next"]
"""From the proof to the next step."""
STEP: list[Key | None] = [*RED, "next", "next", *GREEN]
"""A whole step, guided."""


def said(shown: Sequence[object]) -> list[str]:
    return [each.key for each in shown if isinstance(each, Said)]


def last(shown: Sequence[object]) -> Ask:
    asked = shown[-1]
    assert isinstance(asked, Ask)
    return asked


# --- the loop --------------------------------------------------------------------------------------------------------


def test_a_step_from_its_title_to_the_next_ones() -> None:
    bench = FakeBench()
    taken = take(desk(bench), STEP).shown
    kinds = [type(each) for each in taken if not isinstance(each, Ask)]
    page = [Title, Said, Text, Text, Drawn, Question, Seen, Verdict, Typing, Printed, Typing, Printed, Seen, Changed]
    assert kinds == [*page, Text, Said, Title, Text, Text]
    assert [each.why for each in taken if isinstance(each, Ask)] == [
        "ask.drawing", "ask.question", "ask.choose", "ask.commands", "ask.run", "ask.run", "ask.kernel", "ask.on",
        "ask.drawing",
    ]  # fmt: skip
    assert said(taken) == ["learn.welcome", "learn.more"]
    assert bench.did == ["make one.0", "make one.1"]


def test_the_proof_fails_and_then_passes() -> None:
    red, green = take(desk(FakeBench()), STEP).of(Seen)
    assert isinstance(red, Seen)
    assert isinstance(green, Seen)
    assert (red.phase, green.phase) == ("before", "after")
    assert [(each.observed, each.ok) for each in (*red.proofs, *green.proofs)] == [
        ("no reply", True),
        ("it answers", True),
    ]


def test_what_tcpdump_saw_before_stands_beside_what_it_sees_now() -> None:
    seen = take(desk(FakeBench(holds=whole("one"))), STEP, "two").of(Seen)
    assert [(each.phase, each.marked) for each in seen if isinstance(each, Seen)] == [
        ("before", ()),
        ("before", ("172.168.1.11",)),
        ("after", ("192.168.0.10",)),
    ]


def test_what_changed_is_what_the_tools_said_before_and_after() -> None:
    (changed,) = take(desk(FakeBench()), STEP).of(Changed)
    assert changed == Changed((Change("host", "look", "+", "one.0"), Change("host", "look", "+", "one.1")))


@pytest.mark.parametrize(("key", "chosen"), [("1", 1), ("2", 2)])
def test_an_answer_is_judged_after_the_proof(key: Key, chosen: int) -> None:
    shown = take(desk(FakeBench()), [*LESSON, key]).shown
    (verdict,) = (each for each in shown if isinstance(each, Verdict))
    assert (verdict.chosen, verdict.quiz.right) == (chosen, 2)
    assert isinstance(shown[shown.index(verdict) - 1], Seen)


def test_the_whole_course_and_its_ending() -> None:
    bench = FakeBench()
    taken = take(desk(bench), [*STEP, *STEP, *STEP, "next", "next", "next"]).shown
    (summary,) = (each for each in taken if isinstance(each, Summary))
    assert [(step, len(proofs)) for step, _, proofs in summary.steps] == [(step, 1) for step in STEPS]
    assert bench.progress == Progress("three", "ending", "en")
    assert said(taken)[-1] == "ending.built"
    assert isinstance(taken[-2], Text)  # what to try next


def test_the_ending_says_what_does_not_stand() -> None:
    bench = FakeBench(holds=whole("one", "two", "three"))
    bench.progress = Progress("three", "ending", "en")
    bench.later = [bench.holds, whole("one", "two")]
    taken = take(desk(bench), ["next"]).shown
    (missing,) = (each for each in taken if isinstance(each, Said) and each.key == "ending.missing")
    assert missing.values == {"steps": "three"}
    (summary,) = (each for each in taken if isinstance(each, Summary))
    assert [len(proofs) for _, _, proofs in summary.steps] == [1, 1, 0]


# --- the commands ----------------------------------------------------------------------------------------------------


def test_words_and_hints_leave_the_command_to_be_run() -> None:
    bench = FakeBench()
    keys: list[Key | None] = [*RED, "words", "hint", "hint", "hint", "hint"]
    taken = take(desk(bench), keys).shown
    (words,) = (each for each in taken if isinstance(each, Words))
    assert [(word, about is None) for word, about in words.about] == [("make", False), ("one.0", True)]
    hints = [each.values["number"] for each in taken if isinstance(each, Said) and each.key == "learn.hint"]
    assert hints == [1, 2, 3, 3]
    assert [each.command for each in taken if isinstance(each, Typing)] == ["make one.0"]  # not shown again and again
    assert last(taken).why == "ask.run"
    assert bench.did == []


def test_solve_runs_what_is_left_and_shows_it() -> None:
    bench = FakeBench()
    taken = take(desk(bench), [*RED, "next", "solve"]).shown
    assert [each for each in taken if isinstance(each, Typing | Printed)] == [
        Typing("make one.0", 1, 2), Printed("made one.0\n"), Typing("make one.1", 2, 2),
        Typing("make one.1", 1, 1), Printed("made one.1\n"),
    ]  # fmt: skip
    assert last(taken).why == "ask.kernel"


@pytest.mark.parametrize(("given", "expected"), [(set(), "learn.there"), ({"one.1"}, "learn.given")])
def test_what_holds_is_said_and_not_run(given: set[str], expected: str) -> None:
    bench = FakeBench(holds={"one.1"}, given=given)
    taken = take(desk(bench), [*RED, "next"]).shown
    assert expected in said(taken)
    assert bench.did == ["make one.0"]
    assert last(taken).why == "ask.kernel"


def test_what_somebody_typed_meanwhile_is_not_run_again() -> None:
    bench = FakeBench()
    taking = desk(bench)
    shown = take(taking, RED).shown
    assert last(shown).why == "ask.run"
    bench.holds = {"one.1"}
    assert take(taking, [], "one").shown  # a look in between changes nothing
    taken = take(taking, [*RED, "next"], "one").shown
    assert bench.did == ["make one.0"]
    assert last(taken).why == "ask.kernel"


def test_what_is_in_the_way_is_said_and_can_be_reset() -> None:
    bench = FakeBench(wrong={"one.0": "one is a toaster"}, blocked={"one.0"})
    taken = take(desk(bench), [*RED, "next", "reset", "next", "next"]).shown
    (failed,) = (each for each in taken if isinstance(each, Said) and each.key == "learn.failed")
    assert failed.values == {"what": "in the way", "details": "one is a toaster"}
    assert bench.did == ["reset one", "make one.0", "make one.1"]
    assert last(taken).why == "ask.kernel"


def test_a_proof_that_does_not_pass_is_looked_at_again() -> None:
    bench = FakeBench(failing={"one"})
    taking = desk(bench)
    taken = take(taking, [*RED, "next", "next"]).shown
    assert said(taken)[-1] == "learn.not_green"
    assert last(taken).why == "ask.again"


def test_a_step_that_does_not_hold_any_more_goes_back_to_its_commands() -> None:
    bench = FakeBench(failing={"one"})
    bench.later = [*[set()] * 6, {"one.0"}, whole("one"), {"one.0"}]
    taken = take(desk(bench), [*RED, "next", "next", "next"]).shown
    assert said(taken)[-2:] == ["learn.not_green", "learn.gone_again"]
    assert last(taken).why == "ask.run"


def test_a_proof_that_passes_too_soon_is_said() -> None:
    bench = FakeBench(later=[set(), set(), whole("one")])
    assert "learn.not_red" in said(take(desk(bench), [*LESSON, "2"], "one").shown)


def test_what_is_left_out_is_said() -> None:
    bench = FakeBench(left_out={"one"})
    (left,) = (
        each for each in take(desk(bench), [*LESSON, "2"]).shown if isinstance(each, Said) and "left" in each.key
    )
    assert left.values == {"probe": "one answers", "why": "too far"}


# --- hands-on --------------------------------------------------------------------------------------------------------


def ticks(shown: Sequence[object]) -> list[str]:
    """Each time the ticks were shown, their states by a letter: open, done, wrong, in the way."""
    return ["".join(each.state[0] for each in one.ticks) for one in shown if isinstance(one, Ticks)]


def test_each_operation_is_ticked_in_any_order() -> None:
    bench = FakeBench()
    taking = desk(bench, hands_on=True)
    bench.later = [*[set()] * 6, {"one.1"}, {"one.1"}, whole("one")]
    taken = take(taking, [*RED, None, None, None]).shown
    assert ticks(taken) == ["oo", "od", "dd"]  # and not shown anew while nothing changes
    assert said(taken)[-1] == "hands.complete"
    assert last(taken).why == "ask.prove"
    assert bench.did == []


def test_a_command_is_told_only_when_it_is_done() -> None:
    shown = take(desk(FakeBench(holds={"one.1"}), hands_on=True), RED).shown
    assert [each.ticks for each in shown if isinstance(each, Ticks)] == [
        (Tick("operation one.0", "", "open"), Tick("operation one.1", "make one.1", "done"))
    ]


def test_what_is_wrong_is_said_and_what_is_in_the_way() -> None:
    bench = FakeBench(wrong={"one.0": "it is a toaster", "one.1": "it is small"}, blocked={"one.0"})
    shown = take(desk(bench, hands_on=True), [*RED, None, None]).shown
    assert ticks(shown) == ["iw"]
    assert said(shown).count("hands.in_the_way") == 1


def test_hints_solve_and_reset_with_ones_own_hands() -> None:
    bench = FakeBench(wrong={"one.0": "toaster"}, blocked={"one.0"})
    taken = take(desk(bench, hands_on=True), [*RED, None, "hint", "reset", "solve"]).shown
    assert bench.did == ["reset one", "make one.0", "make one.1"]
    assert ticks(taken) == ["io", "oo", "dd"]
    assert last(taken).why == "ask.prove"


def test_a_detour_that_breaks_an_earlier_step_is_left_to_the_learner() -> None:
    bench = FakeBench(holds=whole("one"))
    bench.later = [*[whole("one")] * 4, {"one.0"}, {"one.0"}, whole("one"), whole("one", "two")]
    taken = take(desk(bench, hands_on=True), [*RED, None, None, None], "two").shown
    assert said(taken).count("hands.drifted") == 1
    assert bench.did == []
    assert said(taken)[-1] == "hands.complete"


def test_where_the_shell_is() -> None:
    one = desk(FakeBench(), hands_on=True)
    one.option = " --sandbox blue"
    (how,) = (each for each in take(one, RED).shown if isinstance(each, Said) and each.key == "hands.how")
    assert how.values == {"shell": "netlab shell --sandbox blue"}
    other = desk(FakeBench(), hands_on=True)
    other.pane = True
    assert "hands.pane" in said(take(other, RED).shown)


# --- going about -----------------------------------------------------------------------------------------------------


def titles(shown: Sequence[object]) -> list[str]:
    return [each.step for each in shown if isinstance(each, Title)]


def test_previous_and_a_step_that_stands() -> None:
    bench = FakeBench()
    taken = take(desk(bench), [*STEP, "previous"]).shown
    assert titles(taken) == ["one", "two", "one"]
    assert (said(taken)[-1], last(taken).why) == ("learn.stands", "ask.skip")


def test_a_step_that_stands_is_skipped_or_reset() -> None:
    bench = FakeBench(holds=whole("one"))
    assert titles(take(desk(bench), ["next"], "one").shown) == ["one", "two"]
    assert bench.did == []
    taken = take(desk(bench), ["reset", *RED], "one").shown
    assert bench.did == ["reset one"]
    assert last(taken).why == "ask.run"


def test_jump_by_the_list() -> None:
    bench = FakeBench(holds={"one.0"})
    taken = take(desk(bench), ["list", "down", "down", "down", "up", "no", "list", "down", "next"]).shown
    rows = [each for each in taken if isinstance(each, Listed)]
    assert [each.at for each in rows] == [0, 1, 2, 0, 2, 0, 1]
    assert [each.state for each in rows[0].rows] == ["partial", "todo", "todo"]
    assert titles(taken)[-1] == "two"
    assert bench.did == ["goto two"]
    assert said(taken)[-1] == "learn.brought"


def test_the_whole_lesson_and_back_to_the_page() -> None:
    taken = take(desk(FakeBench()), [*LESSON, "explain", "next"]).shown
    assert [each.key for each in taken if isinstance(each, Text)][2:] == [
        "what", "why", "before", "without", "hints", "commands", "look", "docker", "try"
    ]  # fmt: skip
    assert isinstance(taken[-2], Question)


def test_the_language_changes_in_the_middle_and_nothing_is_asked_twice() -> None:
    bench = FakeBench()
    taken = take(desk(bench), [*LESSON, "1", "language", "next", "next", "language"]).shown
    assert [each.code for each in taken if isinstance(each, Language)] == ["zh", "en"]
    assert [each.chosen for each in taken if isinstance(each, Verdict)] == [1, 1]
    typing = [each for each in taken if isinstance(each, Typing)]
    assert typing == [Typing("make one.0", 1, 2), Typing("make one.1", 2, 2), Typing("make one.1", 2, 2)]
    assert bench.progress == Progress("one", "commands", "en")


def test_reset_before_the_commands_stays_on_the_page() -> None:
    bench = FakeBench(holds={"one.0"})
    taken = take(desk(bench), [*LESSON, "reset"]).shown
    assert (said(taken)[-1], last(taken).why) == ("learn.reset", "ask.choose")


def test_what_is_needed_and_went_meanwhile_is_put_back() -> None:
    bench = FakeBench(holds=whole("one"))
    bench.later = [*[whole("one")] * 5, set()]
    taken = take(desk(bench), [*RED, "hint"], "two").shown
    assert said(taken)[-2:] == ["learn.drifted", "learn.brought"]
    assert bench.did == ["goto two"]
    assert last(taken).why == "ask.drawing"


EVERYWHERE: list[list[Key | None]] = [STEP[:count] for count in range(len(STEP))]


@pytest.mark.parametrize("keys", EVERYWHERE, ids=len)
def test_quit_anywhere(keys: list[Key | None]) -> None:
    bench = FakeBench()
    taken = take(desk(bench), [*keys, "quit"]).shown
    assert said(taken)[-1] == "learn.bye"
    assert bench.progress is not None
    assert bench.progress.step in STEPS


@pytest.mark.parametrize("keys", EVERYWHERE, ids=len)
def test_what_can_be_pressed_is_asked_everywhere(keys: list[Key | None]) -> None:
    asked = last(take(desk(FakeBench()), keys).shown)
    assert {"explain", "reset", "previous", "list", "language", "quit"} <= set(asked.keys)


# --- coming back -----------------------------------------------------------------------------------------------------


BACK: dict[str, tuple[Page, set[str], tuple[str, str]]] = {
    "to the lesson": ("lesson", whole("one"), ("learn.back", "ask.drawing")),
    "to the question": ("question", whole("one"), ("learn.back", "ask.choose")),
    "to the commands": ("commands", whole("one") | {"two.0"}, ("learn.back", "ask.run")),
    "to the proof": ("proof", whole("one", "two"), ("learn.back", "ask.kernel")),
    "to the kernel": ("kernel", whole("one", "two"), ("learn.back", "ask.on")),
    "the proof, and the step is undone": ("proof", whole("one"), ("learn.changed", "ask.drawing")),
    "the commands, and somebody did them": ("commands", whole("one", "two"), ("learn.changed", "ask.skip")),
    "the commands, and all is gone": ("commands", set(), ("learn.changed", "ask.drawing")),
    "the ending, and a step is gone": ("ending", whole("one", "two"), ("learn.changed", "ask.skip")),
}


@pytest.mark.parametrize(("page", "holds", "expected"), BACK.values(), ids=BACK)
def test_a_file_is_not_believed(page: Page, holds: set[str], expected: tuple[str, str]) -> None:
    taken = take(desk(FakeBench(holds=holds, progress=Progress("two", page, "en"))), []).shown
    assert titles(taken) == ["two"]
    assert (said(taken)[0], last(taken).why) == expected


def test_the_ending_is_come_back_to() -> None:
    bench = FakeBench(holds=whole(*STEPS), progress=Progress("three", "ending", "en"))
    taken = take(desk(bench), []).shown
    assert said(taken)[:2] == ["learn.back", "ending.built"]
    assert titles(taken) == []


def test_without_a_file_it_begins_where_the_kernel_says() -> None:
    assert titles(take(desk(FakeBench(holds=whole("one"))), []).shown) == ["two"]
    assert titles(take(desk(FakeBench(holds=whole(*STEPS))), []).shown) == ["one"]
    assert titles(take(desk(FakeBench(progress=Progress("gone", "proof", "en"))), []).shown) == ["one"]


@pytest.mark.parametrize("page", PAGES)
def test_progress_is_read_as_it_was_written(page: Page) -> None:
    progress = Progress("nat", page, "zh")
    assert Progress.load(progress.dump()) == progress


RECORDS: list[dict[str, object] | None] = [
    None,
    {},
    {"step": "nat", "page": "attic", "language": "en"},
    {"step": 1, "page": "proof", "language": "en"},
    {"step": "nat", "page": "proof", "language": "fr"},
]


@pytest.mark.parametrize("record", RECORDS)
def test_other_progress_is_none(record: dict[str, object] | None) -> None:
    assert Progress.load(record) is None


# --- alone -----------------------------------------------------------------------------------------------------------


def test_alone_everything_is_run_and_answered_rightly() -> None:
    bench = FakeBench(progress=Progress("three", "proof", "en"))
    shown = list(alone(walk(desk(bench, alone=True), None)))
    assert titles(shown) == [*STEPS]
    assert [each.chosen for each in shown if isinstance(each, Verdict)] == [2, 2, 2]
    assert bench.did == [f"make {step}.{number}" for step in STEPS for number in (0, 1)]
    told = [each.key for each in shown if isinstance(each, Text)]
    assert told[:6] == ["what", "why", "commands", "docker", "look", "try"]
    assert bench.progress == Progress("three", "proof", "en")  # whoever is alone has no place to come back to
    assert not any(isinstance(each, Ask) for each in shown)


def test_alone_what_stands_is_left_alone() -> None:
    bench = FakeBench(holds=whole("one"))
    shown = list(alone(walk(desk(bench, alone=True), None)))
    assert said(shown)[0] == "learn.stands_unseen"
    assert bench.did[0] == "make two.0"


def test_alone_nothing_is_tried_again() -> None:
    with pytest.raises(Conflict):
        list(alone(walk(desk(FakeBench(wrong={"two.0": "x"}, blocked={"two.0"}), alone=True), None)))
    shown = list(alone(walk(desk(FakeBench(failing={"one"}), alone=True), None)))
    assert [each.proofs[0].ok for each in shown if isinstance(each, Seen) and each.phase == "after"] == [
        False,
        True,
        True,
    ]
