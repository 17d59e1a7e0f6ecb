"""The walk without a learner: every command is run, every question answered rightly. A transcript is made of it."""

from __future__ import annotations

from collections.abc import Iterator

from netlab.learn.pages import CHOICES
from netlab.learn.scenes import Ask, Key, Question, Scene, Walk


def alone(walk: Walk) -> Iterator[Scene]:
    """The scenes of the whole walk, as a learner sees them who makes no mistake."""
    right: Key = "next"
    pressed: Key | None = None
    while True:
        try:
            scene = walk.send(pressed)
        except StopIteration:
            return
        pressed = None
        match scene:
            case Ask(keys=keys):
                pressed = "next" if "next" in keys else right
            case Question(quiz=quiz):
                right = CHOICES[max(quiz.right, 1) - 1]
                yield scene
            case _:
                yield scene
