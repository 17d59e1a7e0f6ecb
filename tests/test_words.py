"""The words in every language: none is missing, and each placeholder is there."""

from __future__ import annotations

import ast
import re
import string
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


def used() -> set[str]:
    """The keys that the code asks for: words("a.key"), .table("a"), Said("a.key"), Ask(…, "a.key") and why="a.key"."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func.func if isinstance(node.func, ast.Call) else node.func).rpartition(".")[2]
                named = [each.value for each in node.keywords if each.arg == "why"]
                first, second = (node.args[number : number + 1] for number in (0, 1))
                asked = {"words": first, "texts": first, "Said": first, "table": first, "Ask": second}.get(name, [])
                found |= {
                    f"{one.value!s}{'.' if name == 'table' else ''}"
                    for each in (*asked, *named)
                    for one in ast.walk(each)
                    if isinstance(one, ast.Constant) and isinstance(one.value, str)
                }
    return found


def test_every_word_is_used_and_every_used_word_is_there() -> None:
    asked, there = used(), set(words("en").texts)
    assert {each for each in asked if "." in each and not each.endswith(".")} <= there
    assert [key for key in there if not any(key == each or key.startswith(each) for each in asked)] == []


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
