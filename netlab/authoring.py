"""A new course, of one working step: a copy of the template that comes with netlab."""

from __future__ import annotations

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
        folder.mkdir(parents=True, exist_ok=True)
        _copy(template_folder(), folder)
    except OSError as error:
        raise UsageError(f"no course can be made in {folder}: {error}") from error


def _copy(source: Path, folder: Path) -> None:
    """With the modes of the maker's umask: root runs no course that others can write, as a checkout may be."""
    for path in sorted(source.iterdir()):
        if path.name == "__pycache__":
            continue
        if path.is_dir():
            (folder / path.name).mkdir()
            _copy(path, folder / path.name)
        else:
            (folder / path.name).write_bytes(path.read_bytes())
