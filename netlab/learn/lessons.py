"""A course's lessons, all of them in one language or more: a walk needs every one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from netlab import lessons
from netlab.errors import UsageError
from netlab.lessons import Lesson
from netlab.words import LANGUAGES


def read_all(folder: Path, steps: tuple[str, ...], language: str) -> Mapping[tuple[str, str], Lesson]:
    """The lessons by step and language; of another language than ``language`` only where none is missing.

    Raises UsageError where one is missing in ``language``.
    """
    found = dict[tuple[str, str], Lesson]()
    for each in LANGUAGES:
        paths = {step: lessons.path_of(folder, step, each) for step in steps}
        missing = [str(path) for path in paths.values() if not path.is_file()]
        if not missing:
            found |= {(step, each): lessons.read(_text(path), each) for step, path in paths.items()}
        elif each == language:
            hint = "see what it lacks: netlab course check"
            raise UsageError("this course has no lessons to learn from", details=missing[:3], hint=hint)
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}", hint="write it in UTF-8") from error
