"""A course as root: whoever could write to it, or turn its path, is found before any of it runs."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from netlab import trust
from netlab.course import default_folder, load
from netlab.errors import CourseError, Untrusted

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the root half: a folder is given away, which takes root")

WAY = "the way/course"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course with a step and what Python keeps of it; whoever loads it leaves ``ran`` beside it."""
    folder = tmp_path / WAY
    (folder / "step/__pycache__").mkdir(parents=True)
    (folder / "__init__.py").write_text(f"import pathlib\npathlib.Path({str(tmp_path / 'ran')!r}).touch()\n")
    (folder / "step/__init__.py").write_text("")
    (folder / "step/__pycache__/step.cpython-311.pyc").write_text("")
    (tmp_path / "elsewhere/inner").mkdir(parents=True)
    (tmp_path / "elsewhere/inner/step.py").write_text("")
    for path in [tmp_path, *tmp_path.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


def change(course: Path, command: str) -> None:
    """A shell's command, in the course's folder; the folder ``elsewhere`` is two up from there."""
    subprocess.run(["/bin/sh", "-euc", command], cwd=course, check=True, timeout=60)


FAULTS = {
    "the folder is somebody's": ("chown 20001 .", WAY, "belongs to somebody else (uid 20001)"),
    "its group may write": ("chmod g+w .", WAY, "can be written by its group"),
    "anybody may, sticky or not": ("chmod 1777 .", WAY, "can be written by anybody"),
    "a file": ("chown 20001 __init__.py", f"{WAY}/__init__.py", "belongs to"),
    "a file's mode": ("chmod o+w step/__init__.py", f"{WAY}/step/__init__.py", "by anybody"),
    "a step's folder": ("chmod g+w step", f"{WAY}/step", "by its group"),
    "the cache's folder": ("chown 20001 step/__pycache__", f"{WAY}/step/__pycache__", "belongs to"),
    "what Python keeps": ("chown 20001 step/*/*.pyc", f"{WAY}/step/__pycache__/step.cpython-311.pyc", "belongs to"),
    "the folder above": ("chown 20001 ..", "the way", "belongs to"),
    "its mode": ("chmod o+w ..", "the way", "can be written by anybody"),
    "its mode for its group": ("chmod g+w ..", "the way", "can be written by its group"),
    "one further up": ("chmod o+w ../..", "", "can be written by anybody"),
    "somebody's in a sticky folder": ("chmod 1777 .. && chown 20001 .", WAY, "belongs to"),
    "a link": ("ln -s step to && chown -h 20001 to", f"{WAY}/to", "belongs to"),
    "where a link leads": ("ln -s ../../elsewhere to && chown 20001 ../../elsewhere", "elsewhere", "belongs to"),
    "what is in there": (
        "ln -s ../../elsewhere to && chmod o+w to/inner/step.py", "elsewhere/inner/step.py", "by anybody",
    ),
    "what a link's way passes": ("ln -s ../../elsewhere/inner to && chmod o+w to/..", "elsewhere", "by anybody"),
    "a link on a link's way": (
        "ln -s elsewhere ../../hop && chown -h 20001 ../../hop && ln -s ../../hop/inner to", "hop", "belongs to",
    ),
    "a link that leads nowhere": ("ln -s nowhere to", f"{WAY}/nowhere", "No such file or directory"),
    "a link through a file": ("ln -s __init__.py/x to", f"{WAY}/__init__.py/x", "Not a directory"),
    "a link to itself": ("ln -s to to", f"{WAY}/to", "leads round in a circle"),
}  # fmt: skip


@pytest.mark.parametrize(("command", "path", "said"), FAULTS.values(), ids=FAULTS)
def test_what_somebody_could_write_is_named_and_nothing_runs(
    course: Path, tmp_path: Path, command: str, path: str, said: str
) -> None:
    change(course, command)
    with pytest.raises(Untrusted) as caught:
        load(course)
    assert f"{tmp_path / path} " in caught.value.message.replace(",", " ")
    assert said in caught.value.message
    assert caught.value.code == 4
    assert not (tmp_path / "ran").exists()


FINE = {
    "as it is": "true",
    "root's in a sticky folder": "chmod 1777 ..",
    "for root alone": "chmod 700 .",
    "links to what is root's": 'ln -s ../../elsewhere to && ln -s "$PWD/step" abs',
    "links in a circle of folders": "ln -s .. step/up",
    "a group that may read": "chgrp 20001 .",
}


@pytest.mark.parametrize("command", FINE.values(), ids=FINE)
def test_what_only_root_can_write(course: Path, command: str) -> None:
    change(course, command)
    trust.check(course)


CURED = (
    "its group may write",
    "a file's mode",
    "its mode for its group",
    "one further up",
    "a link that leads nowhere",
    "a link to itself",
    "the folder is somebody's",
    "the folder above",
    "what Python keeps",
    "where a link leads",
)


@pytest.mark.parametrize("name", CURED)
def test_the_command_that_is_named_cures_it(course: Path, tmp_path: Path, name: str) -> None:
    change(course, FAULTS[name][0])
    with pytest.raises(Untrusted) as caught:
        trust.check(course)
    (tmp_path / "root").mkdir(mode=0o755)
    command, _, given = caught.value.hint.partition(": ")[2].partition("; and --course ")
    home = f"{shlex.quote(str(tmp_path))}/root/"
    change(course, command.replace("~root/", home))
    trust.check(Path(given.replace("~root/", home)) if given else course)


def test_the_way_is_walked_to_the_very_top(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Path] = []
    lstat = Path.lstat

    def look(path: Path) -> os.stat_result:
        looked.append(path)
        return lstat(path)

    monkeypatch.setattr(Path, "lstat", look)
    trust.check(course)
    assert {course, *course.parents, *course.rglob("*")} <= set(looked)


def test_a_link_to_the_course_is_followed_once(course: Path, tmp_path: Path) -> None:
    """What it leads to is checked and loaded; whose the link is does not count then."""
    change(course, 'ln -s "$PWD" ../../mine && chown -h 20001 ../../mine')
    with pytest.raises(CourseError, match="has no COURSE"):
        load(tmp_path / "mine")
    assert (tmp_path / "ran").exists()


def test_the_course_that_comes_with_netlab_is_as_good_as_netlab(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trust, "check", lambda folder: pytest.fail(f"asked about {folder}"))
    assert load(default_folder()).steps


def test_an_ordinary_user_runs_what_he_likes(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    change(course, "chown 20001 .")
    monkeypatch.setattr(os, "geteuid", lambda: 20001)
    with pytest.raises(CourseError, match="has no COURSE"):
        load(course)
