"""The teaching walk on a terminal, as a person sees it in tmux: a walk from a script, real keys, a real screen."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import netlab
from netlab.learn import scenes
from netlab.render.lines import cells
from netlab.render.scenes import Flowing, scene_lines
from netlab.words import LANGUAGES, words
from tests.render import scripted
from tests.tmux import Tmux, lines, tmux

TOP = Path(netlab.__file__).resolve().parent.parent
SIZES = [(60, 20), (80, 24), (120, 40)]
PLAY = (sys.executable, "-P", str(Path(__file__).with_name("play.py")))
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONPATH": str(TOP), "PS1": "prompt> "}


@pytest.fixture
def window(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Tmux]:
    with tmux(tmp_path, ENVIRONMENT, getattr(request, "param", (80, 24))) as own:
        yield own


def asks_for_a_number(screen: str) -> bool:
    return bool(re.search(r"(?m)^ 1-\d ", "\n".join(lines(screen)[-2:])))


def through(window: Tmux, *, answer: str = "1") -> None:
    """Press what goes on, until the walk is over."""
    screen = window.ready()
    for _ in range(200):
        if window.dead:
            return
        screen = window.press(answer if asks_for_a_number(screen) else "Enter")
    pytest.fail("the walk has no end")


@pytest.mark.parametrize("window", SIZES, indirect=True, ids=str)
@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_is_shown_can_be_scrolled_back_to(window: Tmux, language: str) -> None:
    """Every line of every scene, in its order, whole, and none twice."""
    window.start(*PLAY, language, "forwarding", "nat")
    through(window)
    columns = window.columns
    shown = [each for each in lines(window.screen(whole=True)) if each.strip()]
    wanted = [
        line.text.rstrip()
        for scene in scenes_of(scripted.walk(("forwarding", "nat"), language))
        for line in scene_lines(scene, words(language), columns)
        if line.text.strip()
    ]
    assert [each for each in wanted if cells(each) <= columns] == [each for each in shown if each in wanted]


def scenes_of(walk: scenes.Walk) -> Iterator[Flowing]:
    """What a walk shows when each question is answered with 1 and all else with Enter."""
    pressed: scenes.Key | None = None
    while True:
        try:
            scene = walk.send(pressed)
        except StopIteration:
            return
        pressed = None
        if isinstance(scene, scenes.Ask):
            pressed = "next" if "next" in scene.keys else "1"
        else:
            assert not isinstance(scene, scenes.Listed | scenes.Language)
            yield scene
