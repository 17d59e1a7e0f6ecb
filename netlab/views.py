"""What a command that only looks has found, as frozen values: cli fills them, render draws them, --json writes them.

The ``…_json`` functions give the shapes that the README documents.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, Protocol

State = Literal["done", "partial", "todo", "drifted"]
Level = Literal["ok", "warning", "missing", "conflict"]


@dataclass(frozen=True, slots=True)
class StepPlan:
    """What one step lacks: its ``commands`` in the order in which they would run, as a person would type them.

    ``only_if_missing`` are those of given operations, which an empty lab or the kernel usually satisfies by itself;
    ``held`` counts the operations that hold already.
    """

    name: str
    summary: str
    commands: tuple[str, ...]
    only_if_missing: tuple[str, ...] = ()
    held: int = 0


@dataclass(frozen=True, slots=True)
class PlanView:
    """The whole plan, a step each, in the order of the walk."""

    steps: tuple[StepPlan, ...]


@dataclass(frozen=True, slots=True)
class StepStatus:
    """How one step stands; ``missing`` names the operations that do not hold."""

    name: str
    summary: str
    state: State
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepNode:
    """One step of the course's graph: the steps that it needs, and how many operations and proofs it declares."""

    name: str
    summary: str
    needs: tuple[str, ...]
    operations: int
    proofs: int


@dataclass(frozen=True, slots=True)
class SandboxRow:
    """One sandbox: ``made_by`` is the command that made it, ``since`` and ``steps`` are words for a person."""

    name: str
    state: Literal["alive", "dead", "orphan", "unknown"]
    made_by: str
    since: str
    steps: str


class Finding(Protocol):
    """One thing that doctor looked at; ``cure`` is the command that mends it, "" when nothing is to be done."""

    @property
    def name(self) -> str: ...
    @property
    def level(self) -> Level: ...
    @property
    def detail(self) -> str: ...
    @property
    def cure(self) -> str: ...


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """Something wrong with a course: where it is, what it is, and what its author has to do."""

    file: str
    line: int
    what: str
    todo: str


Json = dict[str, object]


def plan_json(plan: PlanView) -> Json:
    """A step without commands is one that lacks nothing."""
    return {
        "steps": [
            {"name": each.name, "commands": [*each.commands], "only_if_missing": [*each.only_if_missing]}
            for each in plan.steps
        ]
    }


def status_json(steps: Iterable[StepStatus]) -> Json:
    """Each step's state, and the operations that are missing."""
    return {"steps": [{"name": each.name, "state": each.state, "missing": [*each.missing]} for each in steps]}


def steps_json(steps: Iterable[StepNode]) -> Json:
    """The graph: each step with what it needs, in reading order."""
    return {"steps": [{"name": each.name, "summary": each.summary, "needs": [*each.needs]} for each in steps]}


def findings_json(findings: Iterable[Finding]) -> Json:
    """What doctor found; ``cure`` is "" where nothing is to be done."""
    return {
        "findings": [
            {"name": each.name, "level": each.level, "detail": each.detail, "cure": each.cure} for each in findings
        ]
    }


def sandboxes_json(rows: Iterable[SandboxRow]) -> Json:
    """The sandboxes of this user."""
    return {"sandboxes": [asdict(each) for each in rows]}


def faults_json(faults: Iterable[Fault]) -> Json:
    """What is wrong with a course."""
    return {"faults": [asdict(each) for each in faults]}


def tree(nodes: Sequence[StepNode]) -> list[tuple[str, StepNode, tuple[str, ...]]]:
    """The graph as a tree in reading order: (branches drawn before its name, step, what it needs besides its parent).

    A step with several needs stands once, under the last of them in reading order.
    """
    place = {node.name: number for number, node in enumerate(nodes)}
    children: dict[str, list[StepNode]] = {}
    for node in nodes:
        parent = max((need for need in node.needs if need in place), key=place.__getitem__, default="")
        children.setdefault(parent, []).append(node)
    rows: list[tuple[str, StepNode, tuple[str, ...]]] = []
    waiting = [("", "", "", node) for node in reversed(children.get("", []))]
    while waiting:
        branch, below, parent, node = waiting.pop()
        rows.append((branch, node, tuple(need for need in node.needs if need != parent)))
        family = children.get(node.name, [])
        for child in reversed(family):
            last = child is family[-1]
            waiting.append((below + ("└─ " if last else "├─ "), below + ("   " if last else "│  "), node.name, child))
    return rows
