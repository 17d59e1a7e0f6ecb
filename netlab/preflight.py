"""What the machine has and lacks before anything is asked of it: `netlab doctor`.

Everything is read from a `Machine`, and the one thing that can only be tried (user namespaces) is tried in a child.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Final, Literal

from netlab import kernel, machine, programs, userns
from netlab.machine import Machine
from netlab.model import Chapter, Command, Facts, Operation, Query, Runner

Level = Literal["ok", "warning", "missing", "conflict"]

_NEEDED: Final = (
    *("ip", "iptables", "iptables-save", "iptables-restore", "sysctl", "ss", "ping", "curl", "tcpdump"),
    *("nsenter", "unshare", "mount", "sh", "sleep", "grep", "python3"),
)
_WELCOME: Final = {
    "bridge": "`bridge link` shows the bridge's ports",
    "brctl": "the tutorial's own `brctl show`",
    "route": "the tutorial's own `route -n` and `route add`",
}
_PYTHON: Final = (3, 11)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. ``ok`` is False only for what the lab cannot do without; ``cure`` is "" for none."""

    name: str
    ok: bool
    level: Level
    detail: str
    cure: str = ""


def examine(
    run: Runner, here: Machine, *, attempt: Callable[[], userns.Refused | None] = userns.attempt
) -> list[Finding]:
    """All that the sandbox needs of the machine ``here``, in the order in which a person would see to it.

    ``attempt`` tries namespaces for real; a test of another machine hands in what that machine answered.
    """
    refused = attempt()  # forks, and so comes before `run`, which may start threads
    backend, words = _backend(run, here)
    return [
        _python(here),
        *_programs(here, backend),
        _finding("iptables backend", "ok" if backend else "warning", words),
        _namespaces(refused, here),
        *_kernel(here, backend),
    ]


def host_queries(chapters: Sequence[Chapter]) -> frozenset[Query]:
    """What ``examine_host`` looks at beside the operations' own queries."""
    return frozenset()


def examine_host(
    run: Runner, here: Machine, chapters: Sequence[Chapter], facts: Facts, ours: Set[Operation]
) -> list[Finding]:
    """What this machine has in the lab's way."""
    operations = [each for chapter in chapters for each in chapter.operations if each.makes and each not in ours]
    return [
        Finding(str(each), False, "conflict", each.found(facts) or "netlab did not make it", "--adopt")
        for each in operations
        if each.holds(facts) or each.blocked(facts)
    ]


def _finding(name: str, level: Level, detail: str, cure: str = "") -> Finding:
    return Finding(name, level != "missing", level, detail, cure)


def _python(here: Machine) -> Finding:
    version = ".".join(map(str, here.python))
    if here.python >= _PYTHON:
        return _finding("Python", "ok", version)
    packaged = machine.distribution(here).family == "dnf"
    cure = (
        here.as_root("dnf install -y python3.11")
        if packaged
        else "install Python 3.11 (`uv python install 3.11` needs no root)"
    )
    return _finding("Python", "missing", f"{version}; netlab needs 3.11 or later", cure)


def _programs(here: Machine, backend: str) -> Iterator[Finding]:
    for name in (*_NEEDED, *(["nft"] if backend == "nft" else [])):
        path = programs.find(name, here)
        if path:
            yield _finding(f"program {name}", "ok", path)
        else:
            yield _finding(f"program {name}", "missing", programs.missing(name, here), machine.install(here, [name]))
    for name, use in _WELCOME.items():
        path = programs.find(name, here)
        if path:
            yield _finding(f"program {name}", "ok", path)
        else:
            yield _finding(f"program {name}", "warning", f"not needed, but {use}", machine.install(here, [name]))


def _backend(run: Runner, here: Machine) -> tuple[str, str]:
    """("nft" | "legacy" | "", words): until 1.8 iptables was legacy only, and did not say so."""
    if not programs.find("iptables", here):
        return "", "unknown, for there is no iptables"
    [result] = run([Command(("iptables", "--version"))])
    words = " ".join(result.stdout.split())
    if result.code != 0 or not words:
        return "", "unknown: " + (
            " ".join(result.stderr.split()) or f"`iptables --version` gave exit code {result.code}"
        )
    backend = "nft" if "nf_tables" in words else "legacy"
    return backend, f"{backend} ({words})"


def _namespaces(refused: userns.Refused | None, here: Machine) -> Finding:
    if refused is None:
        return _finding("namespaces", "ok", "network, mount and PID namespaces can be made")
    error = userns.refusal(refused.errno, refused.step, here)
    return _finding("namespaces", "missing", "; ".join(error.details), error.hint)


def _kernel(here: Machine, backend: str) -> Iterator[Finding]:
    running = kernel.Kernel(here)
    filters = {"nft": [kernel.NFT, kernel.COMPAT], "legacy": [kernel.LEGACY]}.get(backend, [])
    for feature in (kernel.VETH, kernel.BRIDGE, kernel.NAT, kernel.MASQUERADE, *filters):
        yield _feature(running, feature, here)
    state = running.state(kernel.BRIDGE_FILTER)
    words = {"loaded": "loaded: packets between two containers pass iptables where bridge-nf-call-iptables is 1"}
    yield _finding(f"kernel: {kernel.BRIDGE_FILTER.name}", "ok", words.get(state, f"{state}; the lab does not need it"))


def _feature(running: kernel.Kernel, feature: kernel.Feature, here: Machine) -> Finding:
    name, state = f"kernel: {feature.name}", running.state(feature)
    module = feature.modules[0]
    if state in ("built in", "loaded"):
        return _finding(name, "ok", state)
    if state == "available" and running.loads:
        return _finding(name, "ok", f"available: the kernel loads {module} when it is needed")
    if state == "available":
        return _finding(name, "missing", f"{module} is not loaded, and kernel.modules_disabled is 1", "reboot")
    if running.replaced:
        return _finding(name, "missing", f"/lib/modules has nothing for the running kernel, {here.release}", "reboot")
    if state == "absent":
        return _finding(
            name, "missing", f"the kernel {here.release} has no {module} ({feature.options[0]})", _modules(here)
        )
    nowhere = f"no /lib/modules/{here.release} and no kernel configuration to look at"
    return _finding(name, "warning", f"cannot be known: {nowhere}")


def _modules(here: Machine) -> str:
    """What brings the modules that a trimmed kernel of a cloud image leaves out."""
    distribution = machine.distribution(here)
    packages = {"ubuntu": f"linux-modules-extra-{here.release}", "debian": "linux-image-amd64"}
    if distribution.identity in packages:
        return here.as_root(f"apt-get install -y {packages[distribution.identity]}")
    if distribution.family == "dnf":
        return here.as_root(f"dnf install -y kernel-modules-{here.release}")
    return "boot the distribution's standard kernel"
