"""What lies in the place of each of a lab's files: nothing is followed, nothing waited for, and nothing written to."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kernel.runner import Netlab
from tests.kernel.tutorial import STEPS

pytestmark = pytest.mark.kernel

MEASURED = False

RECORD = "services/container1-80/record"

FILES = {
    "lab.json": ["apply", "status", "undo", "prove", "plan"],
    "sandbox.json": ["apply", "status", "undo", "show", "snapshot"],
    "journal.jsonl": ["apply", "status", "undo", "goto nat", "plan"],
    "lock": ["apply", "status", "undo", "exec host -- true", "sandbox end", "learn nat --transcript out.md"],
    RECORD: ["undo --from web", "undo"],
}
"""Each file of a lab that stands, and who reads it."""


def a_link(path: Path, precious: Path) -> None:
    path.symlink_to(precious)


def a_link_to_nothing(path: Path, precious: Path) -> None:
    path.symlink_to(precious.with_name("nothing"))


def a_second_name(path: Path, precious: Path) -> None:
    os.link(precious, path)


def a_fifo(path: Path, precious: Path) -> None:
    os.mkfifo(path)


def a_folder(path: Path, precious: Path) -> None:
    path.mkdir()


def somebody_elses(path: Path, precious: Path) -> None:
    path.write_bytes(precious.read_bytes())
    os.chown(path, 65534, 65534)


Spoil = Callable[[Path, Path], None]

SPOILS: list[Spoil] = [a_link, a_link_to_nothing, a_second_name, a_fifo, a_folder]
if os.geteuid() == 0:
    SPOILS.append(somebody_elses)


@pytest.fixture(scope="module")
def standing(shared: Netlab) -> Iterator[Netlab]:
    shared.apply()
    yield shared
    shared.undo()


@pytest.mark.parametrize("spoil", SPOILS)
@pytest.mark.parametrize("name", FILES)
def test_what_is_in_a_files_place_is_refused(standing: Netlab, tmp_path: Path, name: str, spoil: Spoil) -> None:
    path = standing.base / "default" / name
    kept = path.with_name("kept")
    path.rename(kept)
    precious = tmp_path / "precious"
    precious.write_bytes(kept.read_bytes())
    try:
        spoil(path, precious)
        for words in FILES[name]:
            done = standing(*words.split(), code=4)
            assert str(path) in done.err, str(done)
            assert "remove it by hand" in done.err
        assert precious.read_bytes() == kept.read_bytes()
        assert not precious.with_name("nothing").exists()
    finally:
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        path.unlink(missing_ok=True)
        kept.rename(path)
    assert standing.states() == dict.fromkeys(STEPS, "done")


@pytest.mark.parametrize("spoil", [each for each in SPOILS if each is not a_folder])
@pytest.mark.parametrize("name", ["services", "services/container1-80"])
def test_a_server_is_put_nowhere_else(netlab: Netlab, tmp_path: Path, name: str, spoil: Spoil) -> None:
    path = netlab.base / "default" / name
    precious = tmp_path / "precious"
    precious.mkdir() if spoil is a_link else precious.write_text("precious")
    netlab.apply("--until", "forwarding")
    path.parent.mkdir(exist_ok=True)
    spoil(path, precious)
    done = netlab("apply", "--until", "web", "--no-prove", code=4)
    assert str(path) in done.err
    assert "remove it by hand" in done.err
    assert not precious.is_dir() or os.listdir(precious) == []
    assert precious.is_dir() or precious.read_text() == "precious"
    assert not precious.with_name("nothing").exists()
    path.unlink()
    netlab.apply("--until", "web")
    netlab.undo()


def test_what_an_old_server_left_is_not_written_to(netlab: Netlab, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    netlab.apply("--until", "forwarding")
    page = netlab.base / "default/services/container1-80/www"
    page.mkdir(parents=True)
    for path in (page / "index.html", page.parent / "log"):
        path.symlink_to(precious)
    netlab.apply("--until", "web")
    assert "Hello from container1" in netlab.type("curl -s http://172.168.1.11/")
    assert precious.read_text() == "precious"
    netlab.undo()
