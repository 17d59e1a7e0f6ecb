"""The fixtures of tests/kernel, and a seam for faults."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.kernel.conftest import (  # noqa: F401 fixtures, which pytest finds by their names here
    _machine_of_the_file,
    _the_machine_stays_as_it_is,
    _warm,
    host,
    lab,
    netlab,
    pytest_runtest_makereport,
    shared,
)
from tests.kernel.runner import Netlab, OnMachine
from tests.torture.faults import Faults


@pytest.fixture
def faults(lab: Netlab) -> Iterator[Faults]:  # noqa: F811
    """The file's sandbox, with the seam in place and no fault planned; afterwards its lab host is as it was."""
    own = Faults(lab)
    own.install()
    own.plan()
    yield own
    own.plan()


@pytest.fixture
def host_faults(host: OnMachine) -> Iterator[Faults]:  # noqa: F811
    """netlab --host on a machine of the tests' own, with the seam in place; afterwards the machine is as it was."""
    own = Faults(host)
    own.install()
    own.plan()
    yield own
    own.plan()
    own.remove()
