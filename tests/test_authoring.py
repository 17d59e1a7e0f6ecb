"""A new course: a copy of the template, where nothing is yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from netlab import authoring
from netlab.errors import UsageError


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_it_is_the_template(tmp_path: Path) -> None:
    authoring.new(tmp_path / "a/course")
    assert files(tmp_path / "a/course") == {
        "README.md", "__init__.py", "lab.py", "surroundings.py", "tests/test_course.py",
        "address/__init__.py", "address/step.py", "address/en.md", "address/zh.md",
    }  # fmt: skip


def test_an_empty_folder_will_do(tmp_path: Path) -> None:
    authoring.new(tmp_path)
    assert (tmp_path / "address/en.md").is_file()


@pytest.mark.parametrize("taken", ["a folder with something in it", "a file"])
def test_what_is_there_stays(tmp_path: Path, taken: str) -> None:
    folder = tmp_path / "course"
    file = folder if taken == "a file" else folder / "notes"
    file.parent.mkdir(exist_ok=True)
    file.write_text("mine")
    with pytest.raises(UsageError, match="is there already, and is not empty"):
        authoring.new(folder)
    assert file.read_text() == "mine"
    assert files(tmp_path) == {str(file.relative_to(tmp_path))}


def test_where_nothing_can_be_made() -> None:
    with pytest.raises(UsageError, match="no course can be made in /proc/course"):
        authoring.new(Path("/proc/course"))
