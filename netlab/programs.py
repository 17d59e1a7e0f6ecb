"""Finds a program in the system's folders only, because the caller's PATH may lack sbin, or hold anything at all."""

from __future__ import annotations

import os
import shutil
from typing import Final

from netlab.errors import Missing
from netlab.machine import Machine, install

FOLDERS: Final = ("/usr/sbin", "/usr/bin", "/sbin", "/bin")
"""Where programs are looked up, in this order; an empty or relative element of the caller's PATH never counts."""

PATH: Final = ":".join(FOLDERS)
"""The same, as the PATH that a program which starts others should get."""


def find(name: str, machine: Machine | None = None) -> str | None:
    """The absolute path of ``name``, a bare program name; None when no system folder has it."""
    machine = machine or Machine()
    if not name or "/" in name:
        return None
    for folder in FOLDERS:
        path = machine.path(f"{folder}/{name}")
        if path.is_file() and os.access(path, os.X_OK):
            return f"{folder}/{name}"
    return None


def program(name: str, machine: Machine | None = None) -> str:
    """The absolute path of ``name``.

    Raises ``Missing`` with the command that installs it on this distribution.
    """
    machine = machine or Machine()
    path = find(name, machine)
    if path is None:
        hint = "" if "/" in name else install(machine, [name])
        raise Missing(f"the program {name!r} is missing", details=(missing(name, machine),), hint=hint)
    return path


def missing(name: str, machine: Machine) -> str:
    """Why ``find`` gave None, in words: also when the caller's own PATH has such a program somewhere else."""
    if not name or "/" in name:
        return "a program is named without its folder"
    elsewhere = shutil.which(name, path=machine.environ.get("PATH", "")) if machine.root.samefile("/") else None
    also = f"; {elsewhere} is not in a system folder and is not used" if elsewhere else ""
    return f"not in {', '.join(FOLDERS)}{also}"
