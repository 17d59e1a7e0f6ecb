"""The state folder: whose it must be, how it is locked, how its files are written and read."""

from __future__ import annotations

import concurrent.futures
import contextlib
import fcntl
import json
import os
import resource
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from netlab import state
from netlab.errors import Missing, Unreadable, UnsafeState, UsageError
from netlab.state import State, default_base


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tmp_path / "home/state/netlab"


@pytest.fixture
def lab(base: Path) -> State:
    made = State(base, "default")
    made.create()
    return made


# --- where -----------------------------------------------------------------------------------------------------------

BASES = {
    "the standard place": ({}, "{home}/.local/state/netlab"),
    "the person's own": ({"XDG_STATE_HOME": "/elsewhere"}, "/elsewhere/netlab"),
    "an empty one does not count": ({"XDG_STATE_HOME": ""}, "{home}/.local/state/netlab"),
    "nor does a relative one (the XDG standard says so)": ({"XDG_STATE_HOME": "state"}, "{home}/.local/state/netlab"),
}


@pytest.mark.parametrize(("environment", "expected"), BASES.values(), ids=BASES)
def test_where(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, environment: dict[str, str], expected: str) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME")
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    assert str(default_base()) == expected.format(home=tmp_path)


def test_where_nobody_can_tell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def unknown(cls: type[Path]) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setenv("XDG_STATE_HOME", "")
    with monkeypatch.context() as homeless:
        homeless.setattr(Path, "home", classmethod(unknown))
        with pytest.raises(UnsafeState, match="cannot be told: Could not determine home") as caught:
            default_base()
    assert caught.value.hint == "set XDG_STATE_HOME to a folder of yours"
    (tmp_path / "loop").symlink_to("loop")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "loop"))
    with contextlib.suppress(UnsafeState):  # a newer Python resolves it to itself: then it cannot be made
        State(default_base(), "default").create()
        pytest.fail("nothing can be made there")


@pytest.mark.parametrize("name", ["default", "a", "A.b-c_9", "x" * 32, "9"])
def test_names(base: Path, name: str) -> None:
    assert State(base, name).folder == base / name


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".hidden", "-x", "a/b", "../x", "a b", "é", "x" * 33, "a\n", "a\0", "$(id)"]
)
def test_names_that_lead_elsewhere(base: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a sandbox's name") as caught:
        State(base, name)
    assert caught.value.code == 2


# --- whose -----------------------------------------------------------------------------------------------------------


def test_nothing_is_made_before_create(base: Path) -> None:
    State(base, "default").check()
    assert not base.exists()
    State(base, "default").create()
    for folder in (base, base / "default"):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_create_is_safe_whatever_the_umask(base: Path) -> None:
    before = os.umask(0)
    try:
        State(base, "default").create()
    finally:
        os.umask(before)
    State(base, "default").check()


def linked(base: Path) -> None:
    base.rename(base.with_name("moved"))
    base.symlink_to("moved")


def inner_linked(base: Path) -> None:
    (base / "default").rename(base / "moved")
    (base / "default").symlink_to("moved")


def a_file(base: Path) -> None:
    (base / "default").rmdir()
    (base / "default").touch()


def dangling(base: Path) -> None:
    (base / "default").rmdir()
    (base / "default").symlink_to("nowhere")


UNSAFE: dict[str, tuple[Callable[[Path], object], str]] = {
    "open to all": (lambda base: base.chmod(0o777), "can be entered by others"),
    "readable by the group": (lambda base: (base / "default").chmod(0o740), "can be entered by others"),
    "a link in its place": (linked, "is not a folder but a link or file"),
    "a link in the lab's place": (inner_linked, "is not a folder but a link or file"),
    "a link that leads nowhere": (dangling, "is not a folder but a link or file"),
    "a file in the lab's place": (a_file, "is not a folder but a link or file"),
    "above it, a folder open to all": (lambda base: base.parent.chmod(0o777), "above .*, can be written by anybody"),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "said"), UNSAFE.values(), ids=UNSAFE)
def test_unsafe(lab: State, spoil: Callable[[Path], object], said: str) -> None:
    spoil(lab.base)
    with pytest.raises(UnsafeState, match=said) as caught:
        lab.check()
    assert caught.value.code == 4
    assert caught.value.hint


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    made = State(tmp_path / "a\nb", "default")
    with pytest.raises(UnsafeState, match=r"a\\nb/default' has a name that is no text"):
        made.create()


def test_a_sticky_folder_above_it_is_safe(lab: State) -> None:
    lab.base.parent.chmod(0o1777)
    lab.check()


def test_somebody_elses(lab: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(UnsafeState, match="belongs to somebody else"):
        lab.check()


def test_somebody_elses_above_it(lab: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who owns a folder above could put another one in its place."""
    own = lab.base.lstat()
    stranger = os.stat_result((own.st_mode, 1, 1, 1, 54321, 54321, 0, 0, 0, 0))
    above = lab.base.parent
    real = Path.stat
    monkeypatch.setattr(Path, "stat", lambda self, **more: stranger if self == above else real(self, **more))
    with pytest.raises(UnsafeState, match="above the state folder, belongs to somebody else"):
        lab.check()


def test_where_nothing_can_be_made(tmp_path: Path) -> None:
    with pytest.raises(UnsafeState, match="cannot be made") as caught:
        State(Path("/proc/no-state/netlab"), "default").create()
    assert "XDG_STATE_HOME" in caught.value.hint


# --- locked ----------------------------------------------------------------------------------------------------------


def test_one_at_a_time(lab: State) -> None:
    with lab.locked(0, make=False):
        begun = time.monotonic()
        said = rf"another netlab is at work on 'default': pid {os.getpid()} since "
        with pytest.raises(UnsafeState, match=said) as caught, State(lab.base, "default").locked(0.1, make=False):
            pass
        assert 0.1 <= time.monotonic() - begun < 30
    assert caught.value.code == 4
    assert caught.value.details == ("waited 0.1 s for its lock",)
    with lab.locked(0, make=False):
        pass


def test_who_waits_gets_it(lab: State) -> None:
    fd = os.open(lab.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(fd, fcntl.LOCK_EX)
    timer = threading.Timer(0.1, os.close, [fd])
    timer.start()
    with lab.locked(10, make=False):
        assert not timer.is_alive() or timer.finished.is_set()
    timer.join()


def test_where_there_is_no_folder_there_is_no_lock(base: Path) -> None:
    with State(base, "default").locked(0, make=False) as locked:
        assert not locked
    assert not base.exists()
    with State(base, "default").locked(0, make=True) as locked:
        assert locked
        assert (base / "default/lock").exists()


def test_a_folder_that_goes_while_we_wait_is_made_again(lab: State) -> None:
    """`sandbox end` removes it under its own lock: who waits then finds none, or makes a new one."""
    for make in (False, True):
        other = State(lab.base, lab.name)
        ending = other.locked(0, make=True)
        ending.__enter__()

        def ends(ending: contextlib.AbstractContextManager[bool] = ending, other: State = other) -> None:
            other.clear()
            ending.__exit__(None, None, None)

        timer = threading.Timer(0.1, ends)
        timer.start()
        with lab.locked(10, make=make) as locked:
            assert locked == make
        timer.join()


def test_a_lock_that_was_removed_is_nobodys(lab: State) -> None:
    """The folder went between open and lock (`sandbox end`): then the next one is to be locked."""
    with lab.locked(0, make=False):
        (lab.folder / "lock").unlink()
        with lab.locked(0, make=False):
            assert (lab.folder / "lock").read_text().startswith(f"pid {os.getpid()} since ")


@pytest.mark.parametrize("replaced", [False, True])
def test_a_lock_that_goes_just_before_it_is_ours(
    lab: State, monkeypatch: pytest.MonkeyPatch, *, replaced: bool
) -> None:
    """Who ended the lab held it until then: what we have locked is nobody's, and the next one counts."""
    kernels, locked = fcntl.flock, list[int]()

    def first_it_goes(fd: int, how: int) -> None:
        kernels(fd, how)
        locked.append(fd)
        if len(locked) == 1:
            (lab.folder / "lock").unlink()
            if replaced:
                (lab.folder / "lock").touch(mode=0o600)

    monkeypatch.setattr(fcntl, "flock", first_it_goes)
    with lab.locked(10, make=True):
        assert len(locked) == 2
        assert os.path.samestat(os.fstat(locked[1]), (lab.folder / "lock").stat())


@pytest.mark.parametrize(
    "spoil", [lambda path: path.symlink_to("/etc/passwd"), lambda path: path.mkdir(), lambda path: os.mkfifo(path)]
)
def test_what_is_no_plain_file_is_never_opened(lab: State, spoil: Callable[[Path], object]) -> None:
    for name in ("lock", "lab.json"):
        spoil(lab.folder / name)
    with pytest.raises(UnsafeState), lab.locked(0, make=False):
        pass
    with pytest.raises(UnsafeState):
        lab.read("lab.json")


def test_a_second_name_for_a_file_is_refused(lab: State, tmp_path: Path) -> None:
    lab.write("lab.json", {})
    os.link(lab.folder / "lab.json", tmp_path / "second")
    with pytest.raises(UnsafeState, match="not a plain file of ours"):
        lab.read("lab.json")


# --- written ---------------------------------------------------------------------------------------------------------


def test_what_is_written_is_read(lab: State) -> None:
    assert lab.read("lab.json") is None
    lab.write("lab.json", {"a": [1, "é"]})
    assert lab.read("lab.json") == {"version": state.VERSION, "a": [1, "é"]}
    assert (lab.folder / "lab.json").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in lab.folder.iterdir()) == ["lab.json"]


def test_a_write_that_breaks_off_leaves_the_old_one(lab: State) -> None:
    lab.write("lab.json", {"a": 1})
    with pytest.raises(TypeError):
        lab.write("lab.json", {"a": object()})
    assert lab.read("lab.json") == {"version": state.VERSION, "a": 1}
    lab.write("lab.json", {"a": 2})
    assert lab.read("lab.json")["a"] == 2


def test_a_disk_that_takes_no_more_leaves_the_old_one(lab: State) -> None:
    lab.write("lab.json", {"a": 1})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, limits[1]))
    try:
        with pytest.raises(Missing, match=r"lab\.json cannot be written: File too large") as caught:
            lab.write("lab.json", {"a": 2})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert caught.value.hint == "make room; then run the command again"
    assert [path.name for path in lab.folder.iterdir()] == ["lab.json"]
    assert lab.read("lab.json") == {"version": state.VERSION, "a": 1}


def test_what_a_file_lacks_is_named(lab: State) -> None:
    lab.write("lab.json", {"a": 1})
    assert lab.read("lab.json", keys=["a"]) == {"version": state.VERSION, "a": 1}
    with pytest.raises(Unreadable, match=r"lab\.json lacks b, c$"):
        lab.read("lab.json", keys=["a", "b", "c"])


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", "{}", json.dumps({"version": state.VERSION + 1}), '{"version": "1"}', "\xff"]
)
def test_what_cannot_be_read_is_said(lab: State, text: str) -> None:
    (lab.folder / "lab.json").write_text(text, encoding="latin-1")
    with pytest.raises(UnsafeState, match=r"lab\.json") as caught:
        lab.read("lab.json")
    assert "netlab sandbox end" in caught.value.hint


def test_what_is_there(lab: State) -> None:
    assert not lab.has("lab.json")
    (lab.folder / "lab.json").symlink_to("nowhere")
    assert lab.has("lab.json")


def test_remove_and_clear(lab: State) -> None:
    lab.write("lab.json", {})
    lab.remove("lab.json")
    lab.remove("lab.json")
    assert lab.read("lab.json") is None
    (lab.folder / "services/web/www").mkdir(parents=True)
    with lab.locked(0, make=False):
        lab.clear()
        lab.clear()
    assert not lab.base.exists()


def test_a_folder_that_is_somebody_elses_by_now_is_not_cleared(lab: State) -> None:
    """Who ends a lab gives its lock up with it; what comes about then is not theirs."""
    other = State(lab.base, lab.name)
    with lab.locked(0, make=False):
        lab.clear()
        with other.locked(0, make=True):
            other.write("lab.json", {"a": 1})
            lab.clear()
            assert other.read("lab.json", keys=["a"])
            assert (other.folder / "lock").exists()


def test_what_a_killed_one_was_about_to_remove_goes_with_the_next(lab: State) -> None:
    left, others = lab.base / ".default.123", lab.base / ".default.b.123"
    for each in (left, others):
        (each / "services").mkdir(parents=True)
    with lab.locked(0, make=False):
        lab.clear()
    assert sorted(lab.base.iterdir()) == [others]


def test_many_are_made_and_cleared_side_by_side(base: Path) -> None:
    """The last one takes the folder around them along, while another is made in it."""

    def lives(name: str) -> None:
        for _ in range(200):
            one = State(base, name)
            with one.locked(10, make=True):
                one.clear()

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lives, "abcd"))
    assert not base.exists()
