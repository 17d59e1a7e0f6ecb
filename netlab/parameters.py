"""A lab's parameters, from --set and --lab to the course's Lab: checked before anything runs, all errors at once."""

from __future__ import annotations

import difflib
import reprlib
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from netlab.contract import authored
from netlab.errors import UsageError

if TYPE_CHECKING:
    from pydantic import BaseModel

Values = dict[str, Any]
"""Parameters as given, nested: {"containers": {"2": {"address": "172.168.1.20"}}}."""


COUNT = "count"
"""Beside numbered tables: how many there are, where a list or a number said so. A higher number makes it more."""

_MOST = 1 << 25
"""So many characters a file may have; a thousand containers' snapshot has a tenth of them."""

_MANY = 1 << 16
"""A number that may stand for so many tables."""

_DEEPEST = 16


class _Short(reprlib.Repr):
    """What was given, as far as it takes to recognise it."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 80

    def repr_int(self, x: int, level: int) -> str:
        return super().repr_int(x, level) if x.bit_length() < 256 else f"a number of {x.bit_length()} bits"


_SHORT = _Short()


def given(settings: Sequence[str], file: Path | None) -> Values:
    """What the lab file says, and over it each ``key=value`` of ``settings``; dots lead into a table.

    Raises UsageError for a file that cannot be read or is no TOML, and for a setting without ``=``.
    """
    values = _read(file) if file is not None else {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals or not key:
            raise UsageError(f"--set {_SHORT.repr(setting)} is no key=value", hint="for example: --set containers=3")
        _put(values, key.split("."), _value(text), setting)
    return values


def text_of(file: Path) -> str:
    """A file that somebody has named. Raises UsageError where it cannot be read as text, or is beyond all measure."""
    try:
        with file.open(encoding="utf-8") as opened:
            text = opened.read(_MOST + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"{file} cannot be read: {reason}") from error
    if len(text) > _MOST:
        raise UsageError(f"{file} cannot be read: it has more than {_MOST} characters")
    return text


def _read(file: Path) -> Values:
    text = text_of(file)
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        reason = "its brackets are nested too deep" if isinstance(error, RecursionError) else str(error)
        raise UsageError(f"the lab file {file} is no TOML: {reason}", hint="a line of it is: containers = 3") from error


def _value(text: str) -> Any:
    """As TOML reads it where that is a number, a bool, a list, a table or a quoted string; else the text itself."""
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, bool | int | str | list | dict) else text


def _put(values: Values, path: Sequence[str], value: Any, setting: str) -> None:
    if len(path) > _DEEPEST:
        raise UsageError(f"--set {_SHORT.repr(setting)}: no lab has tables so deep")
    *folders, last = path
    for name in folders:
        inner = _as_tables(values.get(name, {}))
        if not isinstance(inner, dict):
            raise UsageError(f"--set {_SHORT.repr(setting)}: {name} is {_SHORT.repr(inner)}, not a table")
        values[name] = values = inner
    values[last] = value


def _as_tables(value: Any) -> Any:
    """A list of tables, or how many there are, as tables by their numbers, with COUNT; else the value itself."""
    if isinstance(value, list):  # counted from 1 as everywhere
        return {COUNT: len(value), **{str(number): each for number, each in enumerate(value, 1)}}
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MANY:  # =3, and then .3.name=…
        return {COUNT: value}
    return value


def merged(old: Values, new: Values) -> Values:
    """``new`` over ``old``; tables are merged, all else is replaced."""
    both = dict(old)
    for key, value in new.items():
        inner = _as_tables(both.get(key)) if isinstance(value, dict) and COUNT not in value else None
        both[key] = merged(inner, value) if isinstance(inner, dict) else value
    return both


def lab(lab_type: type[BaseModel], values: Mapping[str, Any]) -> BaseModel:
    """The course's Lab from what was given. Raises UsageError that lists all that is wrong, a line each."""
    from pydantic import ValidationError  # 55 ms, and whoever does not load a course does without

    with authored("the course's Lab cannot check its parameters"):
        try:
            return lab_type.model_validate(dict(values), strict=False)
        except ValidationError as error:
            lines = [line for each in error.errors(include_url=False) for line in _lines(each, lab_type)]
            raise UsageError(
                "the lab's parameters are wrong", details=lines, hint="nothing was run; correct them"
            ) from None


def _keys(model: type[BaseModel], path: Sequence[int | str]) -> list[str]:
    """The keys that a table of the lab file may have: of the whole, or of the tables in a list of them."""
    if len(path) > 1:
        inner = [
            each for each in get_args(model.model_fields[str(path[0])].annotation) if hasattr(each, "model_fields")
        ]
        return list(inner[0].model_fields) if inner else []
    return list(model.model_fields)


def _lines(error: Any, model: type[BaseModel]) -> list[str]:
    if error["type"] in ("count", "containers"):
        return list(error["msg"].splitlines())
    # Tables in a list are counted from 1, as the tutorial counts containers.
    path = ".".join(str(part + 1) if isinstance(part, int) else part for part in error["loc"])
    said = _SHORT.repr(error["input"])
    if error["type"] == "extra_forbidden":
        keys = _keys(model, error["loc"])
        near = difflib.get_close_matches(str(error["loc"][-1]), keys, n=1)
        known = f"did you mean {near[0]}?" if near else f"there are: {', '.join(keys)}"
        return [f"{_SHORT.repr(path)[1:-1]} = {said}: unknown key; {known}"]
    return [f"{path} = {said}: {error['msg'][:1].lower()}{error['msg'][1:]}"]
