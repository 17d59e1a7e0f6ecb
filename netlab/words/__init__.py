"""netlab's words for a learner, in every language: plain TOML files that a translator edits without Python.

``en.toml`` and ``zh.toml`` are siblings, as a step's ``en.md`` and ``zh.md`` are: the same keys, and in each text the
same ``{placeholders}``. A new language is a new file here, and nothing else.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from netlab.errors import UsageError

_FOLDER = Path(__file__).parent

LANGUAGES = ("en", *sorted(path.stem for path in _FOLDER.glob("*.toml") if path.stem != "en"))
"""The languages by their codes, English first: what it has, the others must have."""


class Words:
    """One language's texts by key: ``words("lesson.place", number=3)``; dots lead into a table of the file."""

    def __init__(self, language: str, texts: Mapping[str, str]) -> None:
        self.language = language
        self.texts = texts

    def __call__(self, key: str, **values: object) -> str:
        """The text with its placeholders filled in. A key or placeholder that is not there is a bug: KeyError."""
        return self.texts[key].format_map(values)

    def table(self, name: str) -> dict[str, str]:
        """All texts of one table, in the file's order, by the last part of their keys."""
        return {key.removeprefix(f"{name}."): text for key, text in self.texts.items() if key.startswith(f"{name}.")}


@cache
def words(language: str) -> Words:
    """The words of one of ``LANGUAGES``."""
    tables = tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return Words(language, dict(_flat(tables, "")))


def _flat(table: Mapping[str, Any], above: str) -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def choose(asked: str | None, environ: Mapping[str, str]) -> str:
    """The language asked for, else the locale's (``LANG=zh_CN.UTF-8`` is Chinese), else English.

    Raises UsageError for a language asked for that is not here.
    """
    if asked is not None:
        if asked not in LANGUAGES:
            raise UsageError(f"there are no words in {asked!r}", hint=f"there are: {', '.join(LANGUAGES)}")
        return asked
    locale = next(filter(None, (environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return next((each for each in LANGUAGES if locale.lower().startswith(each)), LANGUAGES[0])
