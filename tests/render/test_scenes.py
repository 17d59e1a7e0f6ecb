"""Scenes as they look: tests/data/scenes/*.txt are to be read. NETLAB_REDRAW=1 writes them anew."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from netlab.learn import scenes
from netlab.render.keybar import keybar
from netlab.render.lines import Line
from netlab.render.scenes import Flowing, scene_lines
from netlab.render.ticks import listed_lines, ticks_lines
from netlab.words import LANGUAGES, words
from tests.render import sample

FOLDER = Path(__file__).resolve().parent.parent / "data/scenes"
NAT = "iptables -w -t nat -A POSTROUTING -s 172.168.1.0/24 -o ens33 -j MASQUERADE"
EVERY_KEY: tuple[scenes.Key, ...] = (
    "next", "hint", "words", "explain", "solve", "reset", "previous", "list", "language", "quit",
)  # fmt: skip


def of(language: str) -> Iterator[tuple[str, Flowing | scenes.Ticks | scenes.Listed]]:
    """One of each, with a name."""
    lesson = sample.lesson("nat", language)
    now, then = sample.pictures()["nat"]
    yield "title", scenes.Title("nat", lesson.title, 9, 11)
    yield "text", sample.text("nat", language, "what")
    yield "text-with-console", sample.text("nat", language, "look")
    yield "drawn", scenes.Drawn(now, then)
    yield "question", scenes.Question("container1 pings 114.114.114.114", lesson.quiz)
    for name, chosen in {"right": 2, "wrong": 1, "none": 0}.items():
        yield f"verdict-{name}", scenes.Verdict(lesson.quiz, chosen)
    yield "seen-before", scenes.Seen(sample.proved("before"), "before", sample.MARKED["before"])
    yield "seen-after", scenes.Seen(sample.proved("after"), "after", sample.MARKED["after"])
    yield "seen-failed", scenes.Seen((sample.FAILED,), "after")
    yield "typing", scenes.Typing(NAT, 1, 1)
    yield "printed", scenes.Printed("net.ipv4.ip_forward = 1\n")
    yield "printed-nothing", scenes.Printed("")
    yield "words", sample.words_of("nat", language, NAT)
    yield "words-unknown", sample.words_of("nat", language, "ip netns exec x ip addr")
    yield "changed", scenes.Changed(sample.CHANGES)
    yield "changed-nothing", scenes.Changed(())
    yield "ticks", sample.TICKS
    yield "listed", sample.listed(language)
    yield "summary", sample.summary(language)


def lines_of(scene: Flowing | scenes.Ticks | scenes.Listed, language: str, columns: int) -> list[Line]:
    match scene:
        case scenes.Ticks():
            return ticks_lines(scene, words(language), columns, 20)
        case scenes.Listed():
            return listed_lines(scene, words(language), columns, 20)
        case _:
            return list(scene_lines(scene, words(language), columns))


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("language", LANGUAGES)
def test_they_look_like_this(language: str, columns: int) -> None:
    """One file a language and width: each scene below its name."""
    shown = [
        f"{f'[{name}]':-<{columns}}\n"
        + "".join(f"{each.text.rstrip()}\n" for each in lines_of(scene, language, columns))
        for name, scene in of(language)
    ]
    bar = "".join(f"{each.text.rstrip()}\n" for each in keybar(EVERY_KEY, "run", words(language), columns))
    text = "\n".join([*shown, f"{'[keys]':-<{columns}}\n{bar}"])
    file = FOLDER / f"{language}-{columns}.txt"
    if os.environ.get("NETLAB_REDRAW"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")
