"""Imports point one way, and each thing has one room: walked over the code itself."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import networkx as nx
import pytest

import netlab

TOP = Path(netlab.__file__).resolve().parent.parent

RANKS: tuple[tuple[str, ...], ...] = (
    # What everything else is written in.
    ("model", "errors", "events", "views", "prose", "linux", "mounts", "__init__"),
    # Pure: values in, values out. And what the machine is.
    (
        "retries",
        "batch",
        "rules",
        "machine",
        "picture",
        "difference",
        "signals",
        "runner",
        "trust",
        "words",
        "keys",
        "spelling",
    ),
    ("facts", "operations", "proofs", "programs", "kernel", "userns", "snapshot", "lessons", "authoring"),
    # What is kept, what is loaded, what is run.
    ("journal", "state", "foresight", "contract", "course", "parameters", "processes", "sandbox", "fence"),
    ("reading", "probing", "services", "export"),
    # The walks, and what they walk on.
    ("engine", "host"),
    ("preflight",),
    ("lab",),
    ("foreground", "pane", "checking", "learn"),
    # What is drawn, the teaching walk's scenes among it.
    ("render",),
    # The command line.
    ("cli",),
    ("__main__",),
)
"""Each room may import from those above its line, and from its own line where that makes no circle."""

RANK = {room: number for number, rooms in enumerate(RANKS) for room in rooms}

CLI = ("options", "session", "lab", "learning", "within", "doctor", "sandboxes", "courses")

ONLY = {
    "sh": {"processes"},
    "tenacity": {"host", "probing"},
    "typer": {f"cli.{each}" for each in CLI} | {"cli"},
    "rich": {"render.terminal"},
    "markdown_it": {"lessons.markdown"},
    "networkx": {"course"},
    "pydantic": {"parameters"},
}
"""Each dependency, and the modules of netlab that may import it."""

LATE = {
    "__main__": "the whole command line: signals are caught before it is imported",
    **{f"cli.{each}": "what a command needs beyond typer is imported when it runs: --help stays quick" for each in CLI},
    "cli": "render, only for an error",
    "render": "rich, 50 ms: not for pipes, JSON or --help",
    "course": "networkx, 80 ms: not for a walk of a lab that stands",
    "parameters": "pydantic: only where parameters are checked",
}
"""Modules with imports inside functions, and why."""

STEPS_MAY = {"netlab.model", "netlab.operations", "netlab.proofs", "netlab.spelling"}


class Import(NamedTuple):
    """``module`` imports ``target``, a whole dotted name; ``late``: inside a function; ``typing``: for mypy only."""

    module: str
    target: str
    line: int
    late: bool
    typing: bool

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.target}"

    @property
    def top(self) -> str:
        return self.target.partition(".")[0]


def name_of(path: Path, folder: Path) -> str:
    parts = path.relative_to(folder).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def sources(folder: Path) -> dict[str, Path]:
    return {name_of(path, folder): path for path in sorted(folder.rglob("*.py"))}


def imports(folder: Path, package: str) -> Iterator[Import]:
    for module, path in sources(folder).items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        is_package = path.name == "__init__.py"
        for node, late, typing in _walk(tree, late=False, typing=False):
            yield from (
                Import(module, target, node.lineno, late, typing)
                for target in _targets(node, f"{package}.{module}" if module != "__init__" else package, is_package)
            )


def _walk(node: ast.AST, *, late: bool, typing: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool, bool]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, late, typing
        else:
            inside = late or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            only = typing or (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING")
            yield from _walk(child, late=inside, typing=only)


def _targets(node: ast.Import | ast.ImportFrom, module: str, is_package: bool) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    base = node.module or ""
    if node.level:
        parts = module.split(".")
        kept = parts[: len(parts) - node.level + (1 if is_package else 0)]
        base = ".".join([*kept, *filter(None, [base])])
    for alias in node.names:
        yield f"{base}.{alias.name}"


NETLAB = list(imports(TOP / "netlab", "netlab"))
STEPS = list(imports(TOP / "steps", "steps"))


def room(name: str) -> str:
    """netlab.operations.link → operations; netlab.errors.NetlabError → errors; netlab itself → __init__."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in RANK else "__init__"


def own(each: Import) -> str:
    return each.module.partition(".")[0]


def test_every_module_has_its_room() -> None:
    assert {
        name.partition(".")[0] for name in sources(TOP / "netlab") if not name.startswith(("_steps", "_template"))
    } == RANK.keys()


def test_imports_point_one_way() -> None:
    ours = [each for each in NETLAB if each.top == "netlab" and not each.typing]
    upwards = [str(each) for each in ours if RANK[room(each.target)] > RANK[own(each)]]
    assert upwards == []


def test_there_is_no_circle() -> None:
    """Neither among rooms nor among modules, late imports and those for mypy included."""
    modules = sources(TOP / "netlab")
    graph: nx.DiGraph[str] = nx.DiGraph()
    rooms: nx.DiGraph[str] = nx.DiGraph()
    for each in NETLAB:
        if each.top != "netlab":
            continue
        target = each.target.removeprefix("netlab.")
        while target and target not in modules:
            target = target.rpartition(".")[0]
        if target and target != each.module:
            graph.add_edge(each.module, target)
        if room(each.target) != own(each):
            rooms.add_edge(own(each), room(each.target))
    assert list(nx.simple_cycles(rooms)) == []
    # A package's __init__ lists its modules, which may take words from one another, not from it.
    assert list(nx.simple_cycles(graph)) == []


def test_no_import_is_hidden_in_a_function() -> None:
    hidden = [str(each) for each in NETLAB + STEPS if each.late and each.module not in LATE]
    assert hidden == []
    assert {each.module for each in NETLAB if each.late} == LATE.keys()


@pytest.mark.parametrize(("dependency", "allowed"), ONLY.items(), ids=ONLY)
def test_each_dependency_has_its_importers(dependency: str, allowed: set[str]) -> None:
    assert {each.module for each in NETLAB if each.top == dependency} == allowed


def test_nothing_else_is_depended_on() -> None:
    found = {each.top for each in NETLAB} - set(sys.stdlib_module_names) - {"netlab"}
    assert found == ONLY.keys()


def test_netlab_knows_no_course() -> None:
    assert [str(each) for each in NETLAB if each.top in ("steps", "_steps") or "_steps" in each.target] == []


def test_steps_import_only_the_words_and_their_own_lab() -> None:
    for each in STEPS:
        if each.top == "netlab":
            assert each.target.rpartition(".")[0] in STEPS_MAY, str(each)
        elif each.top == "steps":
            allowed = ("steps.lab.", "steps.surroundings") if each.module != "__init__" else ("steps.",)
            assert each.target.startswith(allowed), str(each)
        elif each.top in ("pydantic", "pydantic_core"):
            assert each.module == "lab", str(each)
        else:
            assert each.top in ("__future__", "collections", "ipaddress", "typing"), str(each)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import netlab.cli", ["netlab.cli"]),
        ("from netlab import cli, host", ["netlab.cli", "netlab.host"]),
        ("from . import cli", ["netlab.engine.cli"]),
        ("from ..lab import Lab", ["netlab.lab.Lab"]),
    ],
)
def test_how_this_test_reads(code: str, expected: list[str]) -> None:
    (node,) = ast.parse(code).body
    assert isinstance(node, ast.Import | ast.ImportFrom)
    assert list(_targets(node, "netlab.engine.applying", is_package=False)) == expected


def test_a_lesson_is_shown_without_anything_of_linux() -> None:
    """`netlab explain` and what it needs are for any machine: no sandbox, no host, no lock is even imported."""
    script = """
import contextlib, io, sys
from netlab.__main__ import main
sys.argv = ["netlab", "explain", "nat", "--quiet"]
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    main()
print(*(name for name in sys.modules if name.startswith("netlab.")))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=TOP, capture_output=True, text=True, check=True)
    imported = set(done.stdout.split())
    assert {"netlab.lessons", "netlab.words", "netlab.course"} <= imported
    assert imported & {f"netlab.{each}" for each in LINUX} == set()


LINUX = ("linux", "mounts", "userns", "sandbox", "processes", "host", "engine", "lab", "state", "services", "reading")


def test_the_runner_stands_alone() -> None:
    """It is started as a program of its own, without site-packages."""
    assert [str(each) for each in NETLAB if each.module == "runner" and each.top not in sys.stdlib_module_names] == []
    assert [str(each) for each in NETLAB if each.target.startswith("netlab.runner")] == []
