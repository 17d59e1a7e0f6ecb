"""The words in every language: none is missing, and each placeholder is there."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

import netlab
from netlab.errors import UsageError
from netlab.words import LANGUAGES, Words, choose, words

PACKAGE = Path(netlab.__file__).parent


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_english_comes_first() -> None:
    assert LANGUAGES == ("en", "zh")


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_no_word_is_missing_and_none_is_left_over(language: str) -> None:
    assert list(words(language).texts) == list(words("en").texts)  # in the same order too: the files are siblings


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_the_same_placeholders(language: str) -> None:
    english = {key: placeholders(text) for key, text in words("en").texts.items()}
    assert {key: placeholders(text) for key, text in words(language).texts.items()} == english


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_says_something_once(language: str) -> None:
    texts = words(language).texts
    assert [key for key, text in texts.items() if not text.strip() or text != text.strip()] == []
    headings = list(words(language).table("heading").values())
    assert len(set(headings)) == len(headings)  # a heading names its section


def test_chinese_is_chinese() -> None:
    """A text that somebody forgot to translate has no Chinese character."""
    assert [key for key, text in words("zh").texts.items() if not re.search(r"[\u4e00-\u9fff]", text)] == []


ASKED = {"words": 0, "texts": 0, "Said": 0, "Ask": 1}
"""What is called with a word's key, and which argument that is; ``why=`` is one wherever it stands."""


def strings(node: ast.AST) -> set[str]:
    found = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
    return {each for each in found if isinstance(each, str)}


def calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call in netlab with the last part of its name: words("en")("a.key") is one of words, too."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                function = node.func.func if isinstance(node.func, ast.Call) else node.func
                yield ast.unparse(function).rpartition(".")[2], node


def test_every_word_that_is_asked_for_is_there() -> None:
    there = set(words("en").texts)
    asked = [node.args[place] for name, node in calls() for place in [ASKED.get(name, 9)] if place < len(node.args)]
    asked += [each.value for _, node in calls() for each in node.keywords if each.arg == "why"]
    assert {key for each in asked for key in strings(each) if "." in key} <= there


def test_no_word_is_left_over() -> None:
    """Each stands somewhere in netlab's own text, or its table is taken as a whole."""
    texts = {key for path in PACKAGE.rglob("*.py") for key in strings(ast.parse(path.read_text(encoding="utf-8")))}
    tables = {table for name, node in calls() if name == "table" for table in strings(node.args[0])}
    assert [key for key in words("en").texts if key not in texts and key.partition(".")[0] not in tables] == []


def test_a_text_with_its_values() -> None:
    assert words("en")("lesson.place", number=3, total=11) == "step 3 of 11"
    assert words("zh")("lesson.place", number=3, total=11) == "第 3 步，共 11 步"


def test_what_is_not_there_is_a_bug() -> None:
    with pytest.raises(KeyError):
        Words("en", {})("lesson.place")
    with pytest.raises(KeyError):
        words("en")("lesson.place", number=3)


LOCALES = {
    "nothing": ({}, "en"),
    "English": ({"LANG": "en_GB.UTF-8"}, "en"),
    "the C locale": ({"LANG": "C.UTF-8"}, "en"),
    "Chinese": ({"LANG": "zh_CN.UTF-8"}, "zh"),
    "Chinese elsewhere": ({"LANG": "zh_TW"}, "zh"),
    "one that is not here": ({"LANG": "fr_FR.UTF-8"}, "en"),
    "LC_MESSAGES over LANG": ({"LANG": "en_GB.UTF-8", "LC_MESSAGES": "zh_CN.UTF-8"}, "zh"),
    "LC_ALL over all": ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
    "an empty one counts for nothing": ({"LANG": "zh_CN.UTF-8", "LC_ALL": ""}, "zh"),
    "dates in Chinese alone": ({"LANG": "en_GB.UTF-8", "LC_TIME": "zh_CN.UTF-8"}, "en"),
}


@pytest.mark.parametrize(("environ", "expected"), LOCALES.values(), ids=LOCALES)
def test_the_language_of_a_locale(environ: dict[str, str], expected: str) -> None:
    assert choose(None, environ) == expected


def test_what_was_asked_for_counts() -> None:
    assert choose("en", {"LANG": "zh_CN.UTF-8"}) == "en"
    with pytest.raises(UsageError, match="no words in 'fr'") as caught:
        choose("fr", {})
    assert caught.value.hint == "there are: en, zh"
