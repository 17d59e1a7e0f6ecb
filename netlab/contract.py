"""What a course has to give, each part of it looked at: a course is anybody's code, and its author is told all.

Every call of a course's code is made in here, or under ``authored``.
"""

from __future__ import annotations

import contextlib
import re
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from netlab import spelling
from netlab.errors import CourseError, NetlabError
from netlab.model import Operation, Proof
from netlab.operations import KINDS

PACKAGE = "netlab_course_"
"""What the names of a course's modules begin with, once it is imported."""

STEP = ("needs", "operations", "proofs")
"""What a step's module has to have."""

SURROUNDINGS = ("NODES", "operations")
"""What the surroundings' module has to have."""


@contextlib.contextmanager
def authored(wrong: str) -> Iterator[None]:
    """Around a course's code: what it raises becomes a CourseError, which says ``wrong`` and where it was raised."""
    try:
        yield
    except NetlabError:
        raise
    except (Exception, SystemExit) as error:
        said = f"{_place(error)}{type(error).__name__}: {error}"
        raise CourseError(wrong, details=(said,), hint="correct it") from error


def _place(error: BaseException) -> str:
    """``FILE:LINE: ``, the last in the course itself before this was raised; "" where it was not in there."""
    frames = [*traceback.walk_tb(error.__traceback__)]
    own = [(frame, line) for frame, line in frames if frame.f_globals.get("__name__", "").startswith(PACKAGE)]
    return f"{own[-1][0].f_code.co_filename}:{own[-1][1]}: " if own else ""


# --- the course's own parts ------------------------------------------------------------------------------------------


def check_parts(folder: Path, steps: Any, lab_type: Any, surroundings: Any) -> None:
    """Raise CourseError unless these can be a course's COURSE, Lab and surroundings.

    Its steps are only known by their names then; see ``check_step``.
    """
    where = f"{folder}/__init__.py"
    if not isinstance(steps, Mapping) or not steps:
        raise CourseError(
            f"COURSE in {where} is {_what(steps)}",
            hint='it has to be a table of one step or more: COURSE = {"address": address}',
        )
    for name in steps:
        if not isinstance(name, str) or re.fullmatch(r"\w[\w.-]*", name) is None:
            raise CourseError(
                f"COURSE in {where} has a step of the name {name!r}",
                hint="it is a folder's name: allowed are letters, digits, _ and, not at its beginning, . and -",
            )
    if not (isinstance(lab_type, type) and hasattr(lab_type, "model_fields")):
        raise CourseError(f"Lab in {where} is {_what(lab_type)}", hint="it has to be a class: class Lab(BaseModel)")
    named = f"the surroundings' module of {folder}"
    _has(named, surroundings, SURROUNDINGS, "operations")
    _names(named, surroundings, "NODES")
    with authored(f"NODES of {named} are wrong"):
        spelling.namespace(*surroundings.NODES)


def check_step(name: str, step: Any, folder: Path) -> None:
    """Raise CourseError unless ``step`` has all that a step's module has to have."""
    named = f"step {name!r} of {folder}"
    _has(named, step, STEP, "operations", "proofs")
    _names(named, step, "needs")


def _has(what: str, module: Any, names: Sequence[str], *functions: str) -> None:
    for name in names:
        if not hasattr(module, name):
            raise CourseError(f"{what} has no {name!r}", hint=f"define {name} in its module")
    for name in functions:
        value = getattr(module, name)
        if not callable(value):
            raise CourseError(f"{name!r} of {what} is {_what(value)}", hint=f"it has to be a function: def {name}(lab)")


def _names(what: str, module: Any, name: str) -> None:
    value = getattr(module, name)
    if not isinstance(value, tuple | list) or not all(isinstance(each, str) for each in value):
        raise CourseError(
            f"{name!r} of {what} is {value!r}", hint=f'it has to be a tuple of names: {name} = ("one", "two")'
        )


def _what(value: Any) -> str:
    name = type(value).__name__
    return "None" if value is None else "empty" if value == {} else f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


# --- what it wants for a lab -----------------------------------------------------------------------------------------


def operations(what: str, module: Any, lab: Any) -> tuple[Operation, ...]:
    """What a step, or the surroundings, wants for ``lab``. Raises CourseError for what fails, and what is none."""
    kinds = tuple(KINDS.values())
    found = _yielded(what, "operations", module.operations, lab, lambda each: isinstance(each, kinds))
    if len(set(found)) < len(found):
        twice = next(str(each) for each in found if found.count(each) > 1)
        raise CourseError(f"{what} declares an operation twice: {twice}", hint="correct it")
    return found


def around(surroundings: Any, lab: Any) -> tuple[Operation, ...]:
    """What the surroundings of a sandbox are made of for ``lab``. Raises CourseError for what is wrong with them."""
    return operations("the surroundings' module", surroundings, lab)


def proofs(what: str, step: Any, lab: Any) -> tuple[Proof, ...]:
    """A step's proofs for ``lab``. Raises CourseError for what fails, and what is none."""
    return _yielded(what, "proofs", step.proofs, lab, lambda each: callable(getattr(each, "judge", None)))


def _yielded(
    what: str, name: str, function: Callable[[Any], Iterable[Any]], lab: Any, right: Callable[[Any], bool]
) -> tuple[Any, ...]:
    with authored(f"{what} does not yield its {name}"):
        found = tuple(function(lab))
    wrong = [each for each in found if not right(each)]
    if wrong:
        raise CourseError(
            f"{what} yields {wrong[0]!r} as one of its {name}", hint=f"yield what the functions of netlab.{name} make"
        )
    return found
