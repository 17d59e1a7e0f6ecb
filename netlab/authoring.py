"""A new course, of one working step: a copy of the template that comes with netlab."""

from __future__ import annotations

import shutil
from pathlib import Path

from netlab.errors import UsageError


def template_folder() -> Path:
    """The checkout's ``template``, else the one packed into the wheel, as with the course itself."""
    package = Path(__file__).parent
    checkout = package.parent / "template"
    return checkout if (package.parent / "pyproject.toml").is_file() and checkout.is_dir() else package / "_template"


def new(folder: Path) -> None:
    """Make a course in ``folder``. Raises UsageError where something is there already, or nothing can be made."""
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"{folder} is there already, and is not empty", hint="give the name of a new folder")
        ignore = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
        shutil.copytree(template_folder(), folder, ignore=ignore, dirs_exist_ok=True)
    except (OSError, shutil.Error) as error:
        raise UsageError(f"no course can be made in {folder}: {error}") from error
