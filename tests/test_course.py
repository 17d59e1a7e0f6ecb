"""A course: how it is loaded, what its author is told, and the graph of its steps."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlab import parameters
from netlab.course import Graph, default_folder, load
from netlab.errors import CourseError, Unreadable, UsageError
from netlab.lab.choice import recorded_chapters
from netlab.proofs import Refused
from tests.kernel.tutorial import NEEDS, STEPS
from tests.toy import TOY

# --- the graph -------------------------------------------------------------------------------------------------------

TUTORIAL = {
    "namespaces": (),
    "veth": ("namespaces",),
    "addresses": ("veth",),
    "loopback": ("addresses",),
    "bridge": ("addresses",),
    "gateway": ("bridge",),
    "routes": ("gateway",),
    "forwarding": ("routes",),
    "nat": ("forwarding",),
    "web": ("gateway",),
    "publish": ("web", "forwarding"),
}
"""A graph with the tutorial's arrows, in reading order."""

UNTIL = {
    "namespaces": "namespaces",
    "loopback": "namespaces veth addresses loopback",
    "nat": "namespaces veth addresses bridge gateway routes forwarding nat",
    "web": "namespaces veth addresses bridge gateway web",
    "publish": "namespaces veth addresses bridge gateway routes forwarding web publish",
}
SINCE = {
    "publish": "publish",
    "nat": "nat",
    "web": "publish web",
    "forwarding": "publish nat forwarding",
    "gateway": "publish web nat forwarding routes gateway",
    "namespaces": "publish web nat forwarding routes gateway bridge loopback addresses veth namespaces",
}


def test_the_course_has_the_tutorials_arrows() -> None:
    course = load(default_folder())
    assert {name: step.needs for name, step in course.steps.items()} == NEEDS
    assert course.graph.order == course.graph.until(None) == course.graph.since(None)[::-1] == STEPS


def test_the_order_of_everything() -> None:
    assert Graph(TUTORIAL).order == Graph(TUTORIAL).until(None) == tuple(TUTORIAL)


@pytest.mark.parametrize(("step", "expected"), UNTIL.items())
def test_until(step: str, expected: str) -> None:
    assert Graph(TUTORIAL).until(step) == tuple(expected.split())


@pytest.mark.parametrize(("step", "expected"), SINCE.items())
def test_since(step: str, expected: str) -> None:
    assert Graph(TUTORIAL).since(step) == tuple(expected.split())


ORDERS: dict[str, tuple[dict[str, tuple[str, ...]], str]] = {
    "reading order breaks ties": ({"c": (), "a": (), "b": ()}, "c a b"),
    "a need comes first": ({"c": ("a",), "b": (), "a": ()}, "b a c"),
    "as soon as it can": ({"a": (), "d": ("z",), "b": (), "z": ("a",)}, "a b z d"),
    "nothing": ({}, ""),
}


@pytest.mark.parametrize(("needs", "expected"), ORDERS.values(), ids=ORDERS)
def test_order(needs: dict[str, tuple[str, ...]], expected: str) -> None:
    assert Graph(needs).order == tuple(expected.split())


WRONG: dict[str, tuple[dict[str, tuple[str, ...]], str, tuple[str, ...]]] = {
    "an unknown need, and what was meant": (
        {"bridge": (), "nat": ("brigde",)}, "step 'nat' needs 'brigde', which is no step", ("did you mean bridge?",),
    ),
    "an unknown need, and nothing near": (
        {"bridge": (), "nat": ("xyz",)}, "step 'nat' needs 'xyz', which is no step", ("there are: bridge, nat",),
    ),
    "a circle, with its path": (
        {"a": (), "b": ("a", "d"), "c": ("b",), "d": ("c",)},
        "the steps need each other in a circle: b → c → d → b", (),
    ),
    "a circle of one": ({"a": ("a",)}, "the steps need each other in a circle: a → a", ()),
}  # fmt: skip


@pytest.mark.parametrize(("needs", "message", "details"), WRONG.values(), ids=WRONG)
def test_what_is_no_graph(needs: dict[str, tuple[str, ...]], message: str, details: tuple[str, ...]) -> None:
    with pytest.raises(CourseError) as caught:
        Graph(needs)
    assert (caught.value.message, caught.value.details, caught.value.code) == (message, details, 2)


@pytest.mark.parametrize(
    ("step", "details"),
    [
        ("fowarding", ("did you mean forwarding?",)),
        ("gatway", ("did you mean gateway?",)),
        ("xyz", (f"there are: {', '.join(TUTORIAL)}",)),
    ],
)
def test_an_unknown_step(step: str, details: tuple[str, ...]) -> None:
    graph = Graph(TUTORIAL)
    for ask in (graph.until, graph.since, graph.check):
        with pytest.raises(UsageError, match=f"there is no step '{step}'") as caught:
            ask(step)
        assert caught.value.details == details


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, tuple[str, ...]]:
    """Steps that need only steps before them, in a shuffled reading order."""
    count = draw(st.integers(1, 8))
    needs = {f"s{n}": tuple(f"s{m}" for m in range(n) if draw(st.booleans())) for n in range(count)}
    return {name: needs[name] for name in draw(st.permutations(sorted(needs)))}


@given(graphs(), st.data())
def test_any_graph(needs: dict[str, tuple[str, ...]], data: st.DataObject) -> None:
    graph = Graph(needs)
    place = {step: number for number, step in enumerate(graph.order)}
    assert place.keys() == needs.keys()
    assert all(place[need] < place[step] for step in needs for need in needs[step])
    step = data.draw(st.sampled_from(sorted(needs)))
    until, since = graph.until(step), graph.since(step)
    assert until[-1] == since[-1] == step
    assert all(set(needs[each]) <= set(until) for each in until)
    assert all(set(since) & set(needs[each]) for each in since if each != step)
    assert {each for each in needs if set(needs[each]) & set(since)} <= set(since)


# --- loading ---------------------------------------------------------------------------------------------------------


def test_a_course_of_ones_own() -> None:
    course = load(TOY)
    assert [*course.steps] == ["switch", "address"]
    chapters = course.chapters(parameters.lab(course.lab_type, {}))
    assert [(each.name, each.summary, each.needs) for each in chapters] == [
        ("switch", "A switch of toys.", ()), ("address", "An address on the switch of toys.", ("switch",))
    ]  # fmt: skip
    assert [str(each) for each in chapters[0].operations] == ["bridge toy0", "toy0 up"]
    assert [str(each) for each in chapters[1].proofs] == ["host pings 198.51.100.1"]


def test_two_courses_side_by_side() -> None:
    assert load(TOY).lab_type is load(TOY).lab_type
    assert load(TOY).lab_type is not load(default_folder()).lab_type


def test_every_step_has_a_summary_and_a_proof() -> None:
    course = load(default_folder())
    for chapter in course.chapters(parameters.lab(course.lab_type, {})):
        assert chapter.summary.endswith(".")
        assert [each for each in chapter.proofs if not each.stays], chapter.name
        assert all(each.stays == isinstance(each, Refused) for each in chapter.proofs)


INIT = """
from types import SimpleNamespace
from netlab.operations import namespace
class Lab: model_fields = ()
surroundings = SimpleNamespace(NODES=(), operations=lambda lab: ())
step = SimpleNamespace(__doc__="A step.", needs=(), operations=lambda lab: [namespace("a")], proofs=lambda lab: [])
COURSE = {"step": step}
"""

BROKEN = {
    "no COURSE": (INIT.replace("COURSE", "STEPS"), "has no COURSE", ()),
    "no Lab": (INIT.replace("class Lab", "class Labor"), "has no Lab", ()),
    "no surroundings": (INIT.replace("surroundings", "around"), "has no surroundings", ()),
    "no needs": (INIT.replace("needs=(), ", ""), "step 'step' of .* has no 'needs'", ()),
    "no operations": (
        INIT.replace("operations=lambda lab: [", "ops=lambda lab: ["), "step 'step' of .* has no 'operations'", (),
    ),
    "no proofs": (INIT.replace(", proofs=lambda lab: []", ""), "step 'step' of .* has no 'proofs'", ()),
    "no Python": ("def", "the course .* cannot be loaded", ("SyntaxError: ",)),
    "an import of nothing": ("from . import nowhere", "the course .* cannot be loaded", ("{init}:1: ImportError: ",)),
    "an error of its own": ("1 / 0", "the course .* cannot be loaded", ("{init}:1: ZeroDivisionError: ",)),
    "an unknown need": (
        INIT.replace("needs=()", "needs=('stop',)"),
        "step 'step' needs 'stop', which is no step", ("did you mean step",),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message", "details"), BROKEN.values(), ids=BROKEN)
def test_what_its_author_is_told(tmp_path: Path, text: str, message: str, details: tuple[str, ...]) -> None:
    (tmp_path / "__init__.py").write_text(text)
    with pytest.raises(CourseError, match=message) as caught:
        load(tmp_path)
    assert caught.value.code == 2
    begins = [each.format(init=tmp_path / "__init__.py") for each in details]
    assert [each.startswith(begin) for each, begin in zip(caught.value.details, begins, strict=True)] == [
        True for _ in begins
    ]


def test_one_that_was_mended_loads(tmp_path: Path) -> None:
    init = tmp_path / "__init__.py"
    init.write_text("1 / 0")
    with pytest.raises(CourseError):
        load(tmp_path)
    assert not [name for name in sys.modules if str(tmp_path) in str(getattr(sys.modules[name], "__file__", ""))]
    init.write_text(INIT)
    assert [*load(tmp_path).steps] == ["step"]


def test_an_operation_declared_twice(tmp_path: Path) -> None:
    (tmp_path / "__init__.py").write_text(INIT.replace('[namespace("a")]', '[namespace("a"), namespace("a")]'))
    with pytest.raises(CourseError, match="step 'step' declares an operation twice: network namespace a"):
        load(tmp_path).chapters(None)


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.mkdir(), lambda path: path.write_text("")])
def test_what_is_no_course(tmp_path: Path, make: object) -> None:
    path = tmp_path / "course"
    assert callable(make)
    make(path)
    with pytest.raises(CourseError, match=r"is no course: it has no __init__\.py") as caught:
        load(path)
    assert caught.value.hint == "give a course's folder: --course DIR"


def test_a_link_that_leads_in_a_circle_is_no_course(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(CourseError, match=r"loop is no course: it has no __init__\.py"):
        load(tmp_path / "loop")


@pytest.mark.parametrize(
    "chapters",
    [None, 7, [{}], [{"name": "a", "summary": "", "needs": [], "operations": [{"kind": "nothing"}]}], ["a"]],
)
def test_what_a_labs_record_says_of_its_steps_is_read_or_refused(chapters: Any) -> None:
    with pytest.raises(Unreadable, match="of its steps cannot be understood"):
        recorded_chapters({"chapters": chapters})
