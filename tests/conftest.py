"""No test touches this machine, unless it asks for a lab: nothing is run, no namespace is made, no state is kept."""

import gc
import signal
import warnings
from collections.abc import Iterator
from typing import NoReturn

import pytest
import sh
from hypothesis import settings

from netlab import sandbox

# A suite that runs in the background of a script has Ctrl-C and Ctrl-\ ignored, and so would each netlab that a test
# interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)
for _number in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
    signal.signal(_number, signal.SIG_DFL)

# How long one example takes says how busy the machine is, and nothing of what is tested.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

NO_STATE = "/proc/no-state"
"""Nobody can make a folder there, not even root."""

ASKING = ("netlab", "shared", "holder", "processes_run")
"""The fixtures by which a test asks: for a netlab of its own, or of its file; for a sandbox that no netlab knows; for
harmless processes."""


@pytest.fixture(autouse=True)
def _hands_off(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", NO_STATE)
    if any(name in request.fixturenames for name in ASKING):
        return

    def refuse(*arguments: object, **settings: object) -> NoReturn:
        pytest.fail(f"this test did not ask for a lab, and reaches for one with {arguments} {settings}")

    monkeypatch.setattr(sh, "Command", refuse)
    for name in ("start", "enter", "foreground", "end", "strays"):
        monkeypatch.setattr(sandbox, name, refuse)


@pytest.fixture
def processes_run() -> Iterator[None]:
    """Lets a test run harmless processes: echo, sh, cat."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # sh leaves its pipes to the garbage collector
        gc.collect()
