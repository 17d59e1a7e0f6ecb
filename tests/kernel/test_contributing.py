"""CONTRIBUTING's seven bullets on adding a step, done exactly as they say in a copy of this tree."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kernel.runner import TOP, Netlab

pytestmark = pytest.mark.kernel

NAME = "greeting"
SUMMARY = "Give the lab host an address of its own, which containers reach by their gateway."
COMMAND = "ip addr add 10.99.0.1/32 dev lo"


def section() -> str:
    text = (TOP / "CONTRIBUTING.md").read_text(encoding="utf-8")
    return text.partition("## Add a step\n")[2].partition("\n## ")[0]


def bullets() -> list[str]:
    return [" ".join(each.split()) for each in section().split("\n- ")[1:]]


def spans(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def after(path: Path, place: str, more: str) -> None:
    """Put ``more`` behind the one place in a file."""
    text = path.read_text(encoding="utf-8")
    assert text.count(place) == 1, f"{path}: {place!r}"
    path.write_text(text.replace(place, place + more), encoding="utf-8")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    ignored = shutil.ignore_patterns(
        ".git", ".venv*", ".*_cache", ".hypothesis", "__pycache__", ".coverage*", "htmlcov"
    )
    shutil.copytree(TOP, folder, ignore=ignored)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode & ~0o022)  # root runs no course that others can write, as a checkout may be
    return folder


def write_the_step(tree: Path) -> None:
    """The first four bullets and their example."""
    made, *_ = bullets()
    assert spans(made)[:4] == ["steps/NAME/", "__init__.py", "step.py", "steps/__init__.py"]
    (example,) = re.findall(r"(?ms)^```python\n(.*?)^```$", section())
    folder = tree / "steps" / NAME
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "step.py").write_text(example, encoding="utf-8")
    table = tree / "steps/__init__.py"
    after(table, "from .gateway import step as gateway\n", f"from .{NAME} import step as {NAME}\n")
    after(table, '    "publish": publish,\n', f'    "{NAME}": {NAME},\n')


def write_the_lesson(tree: Path) -> None:
    """The fifth: the template's step happens to have the example's command, so its words will do."""
    copied = spans(bullets()[4])
    assert copied[:4] == ["en.md", "zh.md", "step.py", "template/address/"]
    for language in copied[:2]:
        shutil.copy(tree / copied[3] / language, tree / "steps" / NAME / language)


def add_its_rows(tree: Path) -> None:
    """The seventh."""
    *named, _ = spans(bullets()[6])
    assert named == ["tests/kernel/tutorial.py"]
    row = "| `publish` | Lead ports of the lab host into the containers. | `web`, `forwarding` |\n"
    after(tree / "README.md", row, f"| `{NAME}` | {SUMMARY} | `routes` |\n")
    after(tree / "CHANGELOG.md", "### Added\n\n", f"- The step `{NAME}`.\n")
    tables = tree / named[0]
    typed = '"rule nat PREROUTING -p tcp --dport 9999 -j DNAT --to-destination 172.168.1.12:80"),\n'
    after(tables, typed, f'    Line("{NAME}", "{COMMAND}", "address 10.99.0.1/32 on lo"),\n')
    after(tables, '    "publish": ("web", "forwarding"),\n', f'    "{NAME}": ("routes",),\n')
    planned = '--dport 9999 -j DNAT --to-destination 172.168.1.12:80",\n    ],\n'
    after(tables, planned, f'    "{NAME}": ["{COMMAND}"],\n')
    text = tables.read_text(encoding="utf-8").replace("│  └─ forwarding\n            │     └─ nat\n", FORK)
    tables.write_text(text, encoding="utf-8")
    seen = 'Row("publish", "client fetches http://192.168.0.10:9999/", r"refused", r"200"),\n'
    row = f'    Row("{NAME}", "container1 pings 10.99.0.1", SILENT, ANSWERS.format("10.99.0.1")),\n'
    after(tables, seen, row)


FORK = f"│  ├─ forwarding\n            │  │  └─ nat\n            │  └─ {NAME}\n"


def test_the_bullets_are_enough(netlab: Netlab, tree: Path) -> None:
    write_the_step(tree)
    write_the_lesson(tree)
    look_at_it(netlab, tree / "steps")
    add_its_rows(tree)
    # `./scripts/test` in short: what it checks of the course's content and documents, and of the code itself.
    run(tree, "pytest", "-q", "-p", "no:cacheprovider", *(f"tests/test_{each}.py" for each in CONCERNED))
    run(tree, "ruff", "check", "--no-cache", "steps", "tests/kernel")
    run(tree, "ruff", "format", "--no-cache", "--check", "steps", "tests/kernel")


CONCERNED = ("documents", "course", "cli", "checking", "layers")


def run(tree: Path, *words: str) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COV"))}
    environment["PYTHONPATH"] = str(tree)
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def look_at_it(netlab: Netlab, steps: Path) -> None:
    """The sixth: its commands one by one, with what they are said to show."""
    words = [each.removeprefix("./scripts/lab ").replace("NAME", NAME) for each in spans(bullets()[5])]
    assert words == [
        "steps",
        f"plan --until {NAME}",
        f"apply --until {NAME}",
        "undo",
        f"prove --cycle {NAME}",
        "course check",
    ]
    said = {each: netlab(*each.split(), "--course", steps).out for each in words[:3]}
    assert f"{NAME}  " in said["steps"]
    assert COMMAND in said[f"plan --until {NAME}"]
    assert "container1 pings 10.99.0.1 — answers" in said[f"apply --until {NAME}"]
    assert "nothing to do" in netlab(*words[2].split(), "--course", steps).out
    netlab("undo")
    cycle = netlab(*words[4].split(), "--course", steps, "--json").json["proofs"]
    assert [(each["phase"], each["ok"]) for each in cycle] == [("before", True), ("after", True), ("undone", True)]
    assert netlab(*words[5].split(), "--course", steps).out == "nothing is wrong with the course\n"
    assert netlab.left() == []
