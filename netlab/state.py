"""The folder that keeps one lab's state: nobody else's to write, locked by one netlab at a time, written whole."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import shutil
import stat
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from netlab.errors import Missing, Unreadable, UnsafeState, UsageError
from netlab.model import Json
from netlab.processes import HELD

DEFAULT = "default"
"""The name of the lab that a command is about unless it says otherwise."""

_OTHERS_END = 10
"""How often in a row the ends of other labs may remove the folder around them all, while ours is made in it."""

VERSION = 1
"""Of every file in the folder. A newer one is refused: this netlab does not know what it says."""


def default_base() -> Path:
    """Where the labs' folders are: $XDG_STATE_HOME/netlab, by default ~/.local/state/netlab."""
    home = os.environ.get("XDG_STATE_HOME", "")
    # Where links on the way lead is looked at once: inside a sandbox /run is another folder, and /var/run a link to it.
    try:
        return (Path(home) if home.startswith("/") else Path.home() / ".local/state").resolve() / "netlab"
    except (RuntimeError, OSError) as error:  # nobody knows where home is; links that lead in a circle
        raise UnsafeState(f"the place of the state folder cannot be told: {error}", hint=State.elsewhere) from None


class State:
    """One lab's folder, ``base``/``name``. Nothing is made before ``create``."""

    elsewhere = "set XDG_STATE_HOME to a folder of yours"
    """What to do where the folder's place cannot be used."""

    def __init__(self, base: Path, name: str) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,31}", name):
            allowed = "letters, digits, '_', '.' and '-', at most 32, not beginning with '-' or '.'"
            raise UsageError(f"{name!r} cannot be a sandbox's name", details=(f"allowed are {allowed}",))
        self.name = name
        self.base = base
        self.folder = base / name
        self._held: int | None = None
        """The lock's descriptor, while it is ours."""

    @property
    def option(self) -> str:
        """What names this lab on the command line; "" for the default one."""
        return "" if self.name == DEFAULT else f" --sandbox {self.name}"

    def create(self) -> None:
        """Make the folder where it is missing, for its owner alone. Raises UnsafeState where it cannot be trusted."""
        for again in range(_OTHERS_END, -1, -1):
            try:
                for folder in reversed((self.folder, self.base, *self.base.parents)):
                    if not folder.exists():  # each for its owner alone, whatever the umask: parents=True would not
                        folder.mkdir(mode=0o700, exist_ok=True)
                break
            except OSError as error:
                # Another has made it, or the last of the others took the base along, in this very moment.
                if again and isinstance(error, FileNotFoundError | FileExistsError):
                    continue
                said = f"the state folder {self.folder} cannot be made: {error.strerror}"
                raise UnsafeState(said, hint=self.elsewhere) from error
        self.check()

    def check(self) -> None:
        """Raise UnsafeState unless the folder is a real one of ours, that nobody else can write or replace."""
        if not str(self.folder).isprintable():
            raise UnsafeState(f"the state folder {str(self.folder)!r} has a name that is no text", hint=self.elsewhere)
        for folder in (self.base, self.folder):
            self._check_own(folder)
        for folder in self.base.absolute().parents:
            self._check_parent(folder)

    def _check_own(self, folder: Path) -> None:
        try:
            found = folder.lstat()
        except FileNotFoundError:  # it has just gone, with its lab
            return
        if stat.S_ISLNK(found.st_mode) or not stat.S_ISDIR(found.st_mode):
            raise UnsafeState(f"{folder} is not a folder but a link or file", hint="remove it by hand")
        if found.st_uid != os.geteuid():
            raise UnsafeState(f"{folder} belongs to somebody else (uid {found.st_uid})", hint=self.elsewhere)
        if found.st_mode & 0o077:
            raise UnsafeState(f"{folder} can be entered by others", hint=f"chmod 700 {folder}")

    def _check_parent(self, folder: Path) -> None:
        try:
            found = folder.stat()
        except OSError:
            return
        if found.st_uid not in (0, os.geteuid()):
            raise UnsafeState(f"{folder}, above the state folder, belongs to somebody else", hint=self.elsewhere)
        if found.st_mode & 0o002 and not found.st_mode & stat.S_ISVTX:
            cure = f"chmod o-w {folder}"
            raise UnsafeState(f"{folder}, above the state folder, can be written by anybody", hint=cure)

    @contextlib.contextmanager
    def locked(self, wait: float, *, make: bool) -> Iterator[bool]:
        """Hold the lab's lock; False, and no lock, where there is no folder and ``make`` does not say to make it.

        What a killed netlab had just started holds it as well, until it has ended.
        After ``wait`` seconds of somebody else's holding it: UnsafeState that says whose.
        """
        deadline = time.monotonic() + wait
        fd = None
        while fd is None:
            if make:
                self.create()
            try:
                fd = self._lock(deadline, wait)
            except FileNotFoundError:  # or it went while we waited: its lab has ended
                if not make:
                    break
        if fd is None:
            yield False
            return
        os.set_inheritable(fd, True)
        HELD.add(fd)
        self._held = fd
        try:
            with contextlib.suppress(OSError):  # a full disk: who waits for us will not be told who we are
                os.ftruncate(fd, 0)
                os.pwrite(fd, f"pid {os.getpid()} since {time.strftime('%H:%M:%S')}\n".encode(), 0)
            yield True
        finally:
            self._held = None
            HELD.discard(fd)
            os.close(fd)

    def _lock(self, deadline: float, wait: float) -> int | None:
        """The lock's descriptor; None where it has to be tried again."""
        path = self.folder / "lock"
        fd = open_plain(path, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(fd, 200, 0).decode(errors="replace").strip()
            os.close(fd)
            if time.monotonic() >= deadline:
                raise UnsafeState(
                    f"another netlab is at work on {self.name!r}: {holder or 'it has just begun'}",
                    details=(f"waited {wait:g} s for its lock", *_at_work(path)),
                    hint="wait for it to end, or wait longer: --wait SECONDS",
                ) from None
            time.sleep(0.05)
            return None
        if _same(fd, path):
            return fd
        os.close(fd)  # the folder was removed between open and lock: this lock is nobody's
        return None

    def has(self, name: str) -> bool:
        """Is something of this name there, be it a link that leads nowhere?"""
        return os.path.lexists(self.folder / name)

    def read(self, name: str, keys: Sequence[str] = ()) -> Json:
        """The JSON object in the file ``name``, with ``keys`` in it; None without such a file.

        Raises Unreadable for one that cannot be understood.
        """
        path = self.folder / name
        try:
            with open(open_plain(path, os.O_RDONLY), encoding="utf-8") as file:
                value = json.load(file)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise Unreadable(f"{path} cannot be read: {error}", hint=_BEGIN_AGAIN) from error
        if not isinstance(value, dict) or value.get("version") != VERSION:
            raise Unreadable(f"{path} was not written by this netlab, or by a newer one", hint=_BEGIN_AGAIN)
        lacking = [key for key in keys if key not in value]
        if lacking:
            raise Unreadable(f"{path} lacks {', '.join(lacking)}", hint=_BEGIN_AGAIN)
        return value

    def write(self, name: str, value: dict[str, Json]) -> None:
        """Write the file ``name`` aside and move it in, synced: a kill leaves the old one or the new one.

        Raises Missing where the disk does not take it; then the old one is left.
        """
        path, aside = self.folder / name, self.folder / f".{name}.new"
        try:
            with open(open_plain(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "w", encoding="utf-8") as file:
                file.write(json.dumps({"version": VERSION, **value}))
                file.flush()
                os.fsync(file.fileno())
            os.replace(aside, path)
        except OSError as error:
            aside.unlink(missing_ok=True)
            hint = "make room; then run the command again"
            raise Missing(f"{path} cannot be written: {error.strerror}", hint=hint) from error

    def remove(self, name: str) -> None:
        """Remove the file ``name``, if it is there."""
        (self.folder / name).unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove the whole folder, and the one around it where it was the last. Its lock is ours, and goes with it.

        A folder that has come about since then is somebody else's.
        """
        assert self._held is not None, "who has no lock clears nothing"
        if not _same(self._held, self.folder / "lock"):
            return
        # Aside first: who comes now finds no folder, and never one that is half removed.
        self.folder.rename(self.base / f".{self.name}.{os.getpid()}")
        for aside in self.base.glob(f".{self.name}.*"):  # also one of somebody who was killed just then
            if aside.name.removeprefix(f".{self.name}.").isdecimal():
                shutil.rmtree(aside, ignore_errors=True)
        with contextlib.suppress(OSError):
            self.base.rmdir()


class HostState(State):
    """The state of the lab on this machine's own network: root's, and gone after a restart, as that network is."""

    elsewhere = "remove it by hand, when you have looked at what it is"

    def __init__(self) -> None:
        super().__init__(Path("/run/netlab"), "host")

    @property
    def option(self) -> str:
        return " --host"

    def _check_parent(self, folder: Path) -> None:
        super()._check_parent(folder)
        if folder.stat().st_mode & 0o022:
            cure = f"chmod go-w {folder}"
            raise UnsafeState(f"{folder}, above the state folder, can be written by others than root", hint=cure)


BEGIN_AGAIN = "end the sandbox whole: `netlab sandbox end` (with --host: restart)"
_BEGIN_AGAIN = f"use the netlab that wrote it, or {BEGIN_AGAIN}"


def open_plain(path: Path, flags: int) -> int:
    """Open one of the folder's files. Raises UnsafeState unless it is a plain file of ours, with one name; no link."""
    try:
        fd = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnsafeState(f"{path} cannot be trusted: {error.strerror}", hint="remove it by hand") from error
    found = os.fstat(fd)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_nlink > 1:
        os.close(fd)
        raise UnsafeState(f"{path} is not a plain file of ours", hint="remove it by hand")
    return fd


def _at_work(path: Path) -> Iterator[str]:
    """Who else has this file open: also what a netlab that is gone has left running."""
    found = path.stat()
    for process in Path("/proc").glob("[1-9]*"):
        if process.name == str(os.getpid()):
            continue
        with contextlib.suppress(OSError):  # somebody else's, or no process, or it has ended
            if any(os.path.samestat(found, fd.stat()) for fd in (process / "fd").iterdir()):
                words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                yield f"at work is process {process.name}: {words[:100]}"


def _same(fd: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), os.lstat(path))
    except FileNotFoundError:
        return False
