"""Loads a course folder and holds its steps as a graph: reading order, what needs what, and what is wrong with it."""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from netlab import contract, trust
from netlab.errors import CourseError, NetlabError, UsageError
from netlab.model import Chapter, Step


class Graph:
    """Steps by name with what each needs, in an order that is topological and otherwise the author's reading order.

    Raises CourseError for an unknown need (with the near names) and for a cycle (with its path).
    """

    def __init__(self, needs: Mapping[str, Iterable[str]]) -> None:
        for step, wanted in needs.items():
            for need in wanted:
                if need not in needs:
                    raise CourseError(f"step {step!r} needs {need!r}, which is no step", details=near(need, needs))
        self._needs = {step: frozenset(wanted) for step, wanted in needs.items()}
        place = {step: number for number, step in enumerate(needs)}
        in_order = all(place[need] < place[step] for step, wanted in self._needs.items() for need in wanted)
        self.order: tuple[str, ...] = tuple(needs) if in_order else _sorted(self._needs, place)

    def check(self, step: str) -> None:
        """Raise UsageError with the near names unless ``step`` is one."""
        if step not in self._needs:
            raise UsageError(
                f"there is no step {step!r}", details=near(step, self.order), hint="list them: netlab steps"
            )

    def until(self, step: str | None) -> tuple[str, ...]:
        """``step`` and all that it needs, in order; everything for None."""
        if step is None:
            return self.order
        self.check(step)
        wanted = {step}
        for each in reversed(self.order):
            wanted |= self._needs[each] if each in wanted else frozenset()
        return tuple(each for each in self.order if each in wanted)

    def since(self, step: str | None) -> tuple[str, ...]:
        """``step`` and all that depends on it, newest first; everything for None."""
        if step is None:
            return self.order[::-1]
        self.check(step)
        wanted = {step}
        for each in self.order:
            wanted |= {each} if self._needs[each] & wanted else set()
        return tuple(each for each in self.order[::-1] if each in wanted)


def _sorted(needs: Mapping[str, Iterable[str]], place: Mapping[str, int]) -> tuple[str, ...]:
    # Imported here: it takes a tenth of a second, and where the author's order is topological it is the answer already.
    from networkx import DiGraph, find_cycle, is_directed_acyclic_graph, lexicographical_topological_sort

    graph = DiGraph()
    graph.add_nodes_from(needs)
    graph.add_edges_from((need, step) for step, wanted in needs.items() for need in wanted)
    if not is_directed_acyclic_graph(graph):
        path = [step for step, _ in find_cycle(graph)]
        raise CourseError(
            f"the steps need each other in a circle: {' → '.join([*path, path[0]])}",
            hint="take one need away",
        )
    return tuple(lexicographical_topological_sort(graph, key=place.__getitem__))


def near(name: str, names: Iterable[str]) -> tuple[str, ...]:
    """What may have been meant by ``name``: the names that are near it, else all of them."""
    names = tuple(names)
    alike = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return (f"did you mean {' or '.join(alike)}?",) if alike else (f"there are: {', '.join(names)}",)


@dataclass(frozen=True, slots=True)
class Course:
    """A loaded course: its folder, its steps in the author's order, the type of its parameters, its surroundings.

    ``lab_type`` is a pydantic model. ``surroundings`` is the course's module with ``NODES`` and ``operations(lab)``.
    """

    folder: Path
    steps: Mapping[str, Step]
    lab_type: Any
    surroundings: ModuleType
    graph: Graph

    def chapters(self, lab: Any) -> tuple[Chapter, ...]:
        """Every step with its operations and proofs for ``lab``, in order."""
        return tuple(chapter(name, self.steps[name], lab) for name in self.graph.order)


def chapter(name: str, step: Step, lab: Any) -> Chapter:
    """One step for ``lab``. Raises CourseError for what is wrong with what it yields."""
    what = f"step {name!r}"
    operations = contract.operations(what, step, lab)
    summary = next(iter((step.__doc__ or name).strip().splitlines()), name)
    return Chapter(name, summary, tuple(step.needs), operations, contract.proofs(what, step, lab))


def default_folder() -> Path:
    """The course that comes with netlab: the checkout's ``steps``, else the one packed into the wheel."""
    package = Path(__file__).parent
    checkout = package.parent / "steps"
    return checkout if (package.parent / "pyproject.toml").is_file() and checkout.is_dir() else package / "_steps"


@dataclass(frozen=True, slots=True)
class Parts:
    """What a course's ``__init__.py`` gives, as it was found: its steps may be wrong, and may make no graph."""

    folder: Path
    package: ModuleType
    steps: Mapping[str, Step]
    lab_type: Any
    surroundings: ModuleType

    def modules(self) -> frozenset[Path]:
        """The files of all modules that were imported with it."""
        name = self.package.__name__
        mine = [each for key, each in sys.modules.items() if key == name or key.startswith(f"{name}.")]
        return frozenset(Path(each.__file__).resolve() for each in mine if each.__file__)


def place(folder: Path) -> Path:
    """Where a course's folder is, links followed; one that leads in a circle stays, and is no course."""
    return Path(os.path.realpath(folder))


def parts(folder: Path) -> Parts:
    """Import the course in ``folder``. Raises CourseError where it cannot be, or lacks one of its parts."""
    package = _imported(place(folder))
    steps, lab_type, surroundings = (_attribute(package, folder, each) for each in ("COURSE", "Lab", "surroundings"))
    contract.check_parts(folder, steps, lab_type, surroundings)
    return Parts(folder, package, steps, lab_type, surroundings)


def load(folder: Path) -> Course:
    """Load the course in ``folder``: a course is code. Raises CourseError that says what its author has to do.

    Raises Untrusted for root where others can write to it; the course that comes with netlab is as good as netlab.
    """
    found = parts(folder)
    for name, step in found.steps.items():
        contract.check_step(name, step, folder)
    graph = Graph({name: step.needs for name, step in found.steps.items()})
    return Course(folder, found.steps, found.lab_type, found.surroundings, graph)


def _attribute(module: ModuleType, folder: Path, name: str) -> Any:
    try:
        return getattr(module, name)
    except AttributeError:
        raise CourseError(f"{folder}/__init__.py has no {name}", hint=f"define or import {name} there") from None


def _imported(folder: Path) -> ModuleType:
    """The course's package, under a name of its own: a course is loaded by path, and two can be loaded side by side."""
    path = folder / "__init__.py"
    if not os.path.isfile(path):  # which a name that is too long is not; Path.is_file raises for it
        raise CourseError(f"{folder} is no course: it has no __init__.py", hint="give a course's folder: --course DIR")
    if os.geteuid() == 0 and folder != place(default_folder()):
        trust.check(folder)
    name = f"{contract.PACKAGE}{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path, submodule_search_locations=[str(folder)])
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        with contract.authored(f"the course {folder} cannot be loaded"):
            spec.loader.exec_module(module)
    except NetlabError:
        for each in [each for each in sys.modules if each.partition(".")[0] == name]:
            del sys.modules[each]
        raise
    return module
