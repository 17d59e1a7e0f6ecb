"""The toy course, in a folder from which root may run it too: a checkout may be anybody's."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path

_FOLDER = Path(tempfile.mkdtemp(prefix="netlab-toy."))
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)

TOY = _FOLDER / "toy_course"
shutil.copytree(Path(__file__).parent / "data/toy_course", TOY, ignore=shutil.ignore_patterns("__pycache__"))
for _path in [TOY, *TOY.rglob("*")]:
    _path.chmod(0o700 if _path.is_dir() else 0o600)
