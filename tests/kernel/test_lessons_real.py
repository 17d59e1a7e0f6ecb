"""The lessons are run: every console, where it was recorded in the course, types its commands and sees the same."""

from __future__ import annotations

import re

import pytest

from netlab import lessons
from netlab.course import default_folder
from netlab.prose import Typed
from tests.kernel.oldtools import OLD, OTHER_WORDS
from tests.kernel.runner import Netlab
from tests.kernel.tutorial import STEPS

pytestmark = pytest.mark.kernel

MEASURED = False

MATTERS = re.compile(
    r"\d+\.\d+\.\d+\.\d+(?:/\d+|[.:]\d+)?"
    r"|\b(?:lo|eth\d|veth\d|ens33|br0|here|there|container\d|router|client|internet)\b"
    r"|\b(?:UP|LOWER_UP|NO-CARRIER|DOWN|UNKNOWN|LOOPBACK|INCOMPLETE|LISTEN)\b"
    r"|\b(?:ACCEPT|DROP|MASQUERADE|DNAT|(?:PRE|POST)ROUTING|FORWARD|INPUT|OUTPUT)\b"
    r"|\d received, (?:\+\d errors, )?\d+% packet loss|[Uu]nreachable|Failed to connect|does not exist|No such file"
    r"|ICMP echo \w+|ip_forward = \d"
)
"""What a reader looks at. MAC addresses, times, ids and each release's own phrases are not the same twice; nor is the
port that a client has by chance, so only the address before it counts."""

Seen = dict[str, list[tuple[Typed, str]]]


def what_matters(output: str) -> list[str]:
    """In any order: the kernel lists namespaces and sockets as it likes."""
    return sorted(re.sub(r"(172\.168\.1\.12)\.\d+$", r"\1", each) for each in MATTERS.findall(output))


@pytest.fixture(scope="module")
def walked(shared: Netlab) -> dict[str, Seen]:
    """The whole course in reading order, and what each console of its lessons printed where it belongs."""
    return {step: walk(shared, step) for step in STEPS}


def walk(netlab: Netlab, step: str) -> Seen:
    text = lessons.path_of(default_folder(), step, "en").read_text(encoding="utf-8")
    lesson = lessons.read(text, "en")
    seen = {"without": typed(netlab, lesson.section("without").typed)}
    netlab.apply("--until", step)
    for key in ("look", "try"):
        seen[key] = typed(netlab, lesson.section(key).typed)
    states = netlab.states()
    assert {states[each] for each in STEPS[: STEPS.index(step) + 1]} == {"done"}, "what was tried was not put back"
    return seen


def typed(netlab: Netlab, commands: tuple[Typed, ...]) -> list[tuple[Typed, str]]:
    return [(each, netlab.run("exec", "host", "--", "sh", "-c", f"exec 2>&1\n{each.command}").out) for each in commands]


@pytest.mark.parametrize("step", STEPS)
def test_what_a_lesson_shows_is_seen(walked: dict[str, Seen], step: str) -> None:
    if OLD and step in ("bridge", "web", "publish"):
        pytest.skip(OTHER_WORDS)
    for key, results in walked[step].items():
        for command, output in results:
            assert what_matters(command.output) == what_matters(output), f"{key}: {command.command}\n{output}"


@pytest.mark.parametrize("step", STEPS)
def test_what_it_shows_can_be_compared(step: str) -> None:
    """Of what a command prints, something matters: else the test above would compare nothing."""
    lesson = lessons.read(lessons.path_of(default_folder(), step, "en").read_text(encoding="utf-8"), "en")
    shown = [each for key in ("without", "look", "try") for each in lesson.section(key).typed if each.output.strip()]
    assert shown
    blind = [each.command for each in shown if not what_matters(each.output)]
    assert blind in ([], ["ip netns exec container1 ss -l -t -n"])  # a head with nothing below it
