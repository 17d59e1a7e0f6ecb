"""What root is to execute: whether anybody else can write it, or make its path lead elsewhere."""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path

from netlab.errors import Untrusted

_LINKS = 40
"""So many symbolic links in one path and no more, as the kernel has it."""


def check(folder: Path) -> None:
    """Raise Untrusted unless ``folder``, all that is in it, and every folder above are root's alone to write.

    ``folder`` is absolute. A symbolic link in it counts with all that it leads to and passes on the way. A folder on
    the way may be anybody's to write when it is sticky, as /tmp is: what is root's in there, nobody else can replace.
    """
    waiting = [folder]
    seen: set[Path] = set()
    while waiting:
        path = waiting.pop()
        real = _walked(path, folder)
        _check(real, folder, passing=False)
        if real not in seen and real.is_dir():
            waiting += sorted(real.iterdir(), reverse=True)
        seen.add(real)


def _walked(path: Path, folder: Path) -> Path:
    """Where ``path`` leads, name by name as the kernel goes, with all that it passes checked."""
    here, names, links = Path("/"), list(path.parts[:0:-1]), 0
    while names:
        _check(here, folder, passing=True)
        name = names.pop()
        step = here.parent if name == ".." else here / name
        try:
            link = Path(os.readlink(step))
        except OSError:  # it is no link
            here = step
            continue
        _check(step, folder, passing=True)
        links += 1
        if links > _LINKS:
            raise Untrusted(f"{path} leads round in a circle", hint=f"remove the link: rm {shlex.quote(str(path))}")
        here = Path("/") if link.is_absolute() else here
        names += [each for each in reversed(link.parts) if each != "/"]
    return here


def _check(path: Path, folder: Path, *, passing: bool) -> None:
    """Raise Untrusted unless ``path`` itself is root's alone to write; ``passing``: it is only on the way."""
    course = shlex.quote(str(folder))
    try:
        found = path.lstat()
    except OSError as error:
        raise Untrusted(
            f"the course {folder} leads to {path}, which cannot be looked at: {error.strerror}",
            hint=f"remove the links that lead nowhere: find {course} -xtype l -delete",
        ) from error
    if found.st_uid != 0:
        copy = f"~root/{shlex.quote(folder.name)}"
        raise Untrusted(
            f"{path} belongs to somebody else (uid {found.st_uid}), and root would run the course {folder}",
            hint=f"read the course, then give root its own: cp -rLT {course} {copy}; and --course {copy}",
        )
    open_to = "anybody" if found.st_mode & stat.S_IWOTH else "its group" if found.st_mode & stat.S_IWGRP else ""
    sticky = passing and found.st_mode & stat.S_ISVTX
    if open_to and not sticky and not stat.S_ISLNK(found.st_mode):
        inside = path.is_relative_to(folder)
        cure = f"chmod -R go-w {course}" if inside else f"chmod go-w {shlex.quote(str(path))}"
        raise Untrusted(
            f"{path} can be written by {open_to}, and root would run the course {folder}",
            hint=f"read the course, then: {cure}",
        )
