"""Labs for the tests that run the real thing, and a guard: the machine's own network is the same before and after."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.kernel.machine import Machine
from tests.kernel.oldtools import NFT, OLD, REASONS
from tests.kernel.runner import Netlab, OnMachine, Warm

ROOT_HALF = "the root half"
"""What an ordinary user cannot run, and skips with this reason; as root nothing is skipped in CI."""


def pytest_sessionstart() -> None:
    """A test that goes wrong as root must not find this machine's own network."""
    routes = Path("/proc/net/route").read_text().splitlines()[1:]  # a network of one's own has none
    if os.geteuid() == 0 and routes:
        pytest.exit(
            "as root these tests run apart from the machine's network: ./scripts/test, or tests/apart COMMAND", 2
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    reasons = (ROOT_HALF,) if os.geteuid() != 0 else REASONS if OLD else ()
    expected = any(reason in str(report.longrepr) for reason in reasons)
    if report.skipped and os.environ.get("CI") and not expected:
        report.outcome = "failed"
        report.longrepr = f"in CI nothing of the kernel's tests may be skipped: {report.longrepr}"
    return report


def _machine() -> dict[str, str]:
    """The machine's own network, without what runs down by itself."""

    def said(*argv: str) -> str:
        return subprocess.run(
            argv, capture_output=True, text=True, check=False, env={"PATH": "/usr/sbin:/usr/bin"}
        ).stdout

    names = Path("/run/netns")
    return {
        "links": said("ip", "-o", "link"),
        "addresses": re.sub(r"\\.*", "", said("ip", "-o", "addr")),
        "routes": re.sub(r" expires \d+sec", "", said("ip", "route", "show", "table", "all")),
        "rules": said("ip", "rule"),
        "filters": said(NFT, "list", "ruleset"),
        "forwarding": Path("/proc/sys/net/ipv4/ip_forward").read_text(),
        "namespaces": " ".join(sorted(os.listdir(names))) if names.exists() else "",
    }


@pytest.fixture(scope="session", autouse=True)
def _the_machine_stays_as_it_is() -> Iterator[None]:
    before = _machine()
    yield
    assert _machine() == before


@pytest.fixture(scope="module")
def _warm(request: pytest.FixtureRequest) -> Iterator[Warm]:
    """Measuring coverage doubles the time: a file that goes the same ways over and over says MEASURED = False.

    One whose commands never end says LIMIT = SECONDS.
    """
    warm = Warm(measured=getattr(request.module, "MEASURED", True), limit=getattr(request.module, "LIMIT", None))
    yield warm
    warm.end()


@pytest.fixture
def netlab(tmp_path: Path, _warm: Warm) -> Iterator[Netlab]:
    """netlab with a state folder of its own. Afterwards every sandbox has ended and nothing is left."""
    own = Netlab(tmp_path, _warm)
    yield own
    own.end()


@pytest.fixture(scope="module")
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, _warm: Warm) -> Iterator[Netlab]:
    """One netlab for a file's tests, with a sandbox made by `sandbox start` that holds the file's CANARIES."""
    own = Netlab(tmp_path_factory.mktemp("shared"), _warm)
    own.begin(getattr(request.module, "CANARIES", {}).values())
    yield own
    own.end()


@pytest.fixture
def lab(shared: Netlab, request: pytest.FixtureRequest) -> Iterator[Netlab]:
    """The file's netlab, whose lab host every test has to leave as it found it; one that does not, spoils no other."""
    yield shared
    differences = shared.differences(shared.start)
    if differences:
        shared.end()
        shared.begin(getattr(request.module, "CANARIES", {}).values())
    assert differences == []


@pytest.fixture(scope="module")
def _machine_of_the_file(request: pytest.FixtureRequest) -> Iterator[tuple[Machine, Warm]]:
    if os.geteuid() != 0:
        pytest.skip(f"{ROOT_HALF}: --host is for root, and so is a machine with users of its own")
    machine = Machine()
    warm = Warm(measured=getattr(request.module, "MEASURED", True), through=machine.enter)
    yield machine, warm
    warm.end()
    machine.end()


@pytest.fixture
def host(tmp_path: Path, _machine_of_the_file: tuple[Machine, Warm]) -> Iterator[OnMachine]:
    """netlab --host on a machine of the tests' own. Afterwards the machine is as it was."""
    own = OnMachine(tmp_path, *_machine_of_the_file)
    own.begin()
    yield own
    own.end()
