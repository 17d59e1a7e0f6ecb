"""What the sandbox needs of the machine."""

from __future__ import annotations

from collections.abc import Callable

from netlab import userns
from netlab.machine import Machine
from netlab.model import Runner
from netlab.preflight import needs
from netlab.preflight.finding import Finding, finding


def examine(
    run: Runner, here: Machine, *, attempt: Callable[[], userns.Refused | None] = userns.attempt
) -> list[Finding]:
    """All that the sandbox needs of the machine ``here``, in the order in which a person would see to it.

    ``attempt`` tries namespaces for real; a test of another machine hands in what that machine answered.
    """
    refused = attempt()  # forks, and so comes before `run`, which may start threads
    backend, words = needs.backend(run, here)
    return [
        needs.python(here),
        *needs.tools(here, backend),
        finding("iptables backend", "ok" if backend else "warning", words),
        _namespaces(refused, here),
        *needs.features(here, backend),
    ]


def _namespaces(refused: userns.Refused | None, here: Machine) -> Finding:
    if refused is None:
        return finding("namespaces", "ok", "network, mount and PID namespaces can be made")
    error = userns.refusal(refused.errno, refused.step, here)
    return finding("namespaces", "missing", "; ".join(error.details), error.hint)
