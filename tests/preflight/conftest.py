"""A machine where nothing is in the lab's way."""

from pathlib import Path

import pytest

from tests.preflight.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)
