"""What every lab needs of the machine: Python, the tools, an iptables that answers, and what the kernel can do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from netlab import kernel, machine, programs
from netlab.machine import Machine
from netlab.model import Command, Runner
from netlab.preflight.finding import Finding, finding

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


def python(here: Machine) -> Finding:
    """Is the interpreter new enough?"""
    version = ".".join(map(str, here.python))
    if here.python >= _PYTHON:
        return finding("Python", "ok", version)
    packaged = machine.distribution(here).family == "dnf"
    cure = (
        here.as_root("dnf install -y python3.11")
        if packaged
        else "install Python 3.11 (`uv python install 3.11` needs no root)"
    )
    return finding("Python", "missing", f"{version}; netlab needs 3.11 or later", cure)


def tools(here: Machine, backend: str) -> Iterator[Finding]:
    """The programs that netlab runs, and those that a lesson shows."""
    for name in (*_NEEDED, *(["nft"] if backend == "nft" else [])):
        path = programs.find(name, here)
        if path:
            yield finding(f"program {name}", "ok", path)
        else:
            yield finding(f"program {name}", "missing", programs.missing(name, here), machine.install(here, [name]))
    for name, use in _WELCOME.items():
        path = programs.find(name, here)
        if path:
            yield finding(f"program {name}", "ok", path)
        else:
            yield finding(f"program {name}", "warning", f"not needed, but {use}", machine.install(here, [name]))


def backend(run: Runner, here: Machine) -> tuple[str, str]:
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


def features(here: Machine, backend: str) -> Iterator[Finding]:
    """What the kernel can do, and what brings it where it cannot."""
    running = kernel.Kernel(here)
    filters = {"nft": [kernel.NFT, kernel.COMPAT], "legacy": [kernel.LEGACY]}.get(backend, [])
    for feature in (kernel.VETH, kernel.BRIDGE, kernel.NAT, kernel.MASQUERADE, *filters):
        yield _feature(running, feature, here)
    state = running.state(kernel.BRIDGE_FILTER)
    words = {"loaded": "loaded: packets between two containers pass iptables where bridge-nf-call-iptables is 1"}
    yield finding(f"kernel: {kernel.BRIDGE_FILTER.name}", "ok", words.get(state, f"{state}; the lab does not need it"))


def _feature(running: kernel.Kernel, feature: kernel.Feature, here: Machine) -> Finding:
    name, state = f"kernel: {feature.name}", running.state(feature)
    module = feature.modules[0]
    if state in ("built in", "loaded"):
        return finding(name, "ok", state)
    if state == "available" and running.loads:
        return finding(name, "ok", f"available: the kernel loads {module} when it is needed")
    if state == "available":
        return finding(name, "missing", f"{module} is not loaded, and kernel.modules_disabled is 1", "reboot")
    if running.replaced:
        return finding(name, "missing", f"/lib/modules has nothing for the running kernel, {here.release}", "reboot")
    if state == "absent":
        return finding(
            name, "missing", f"the kernel {here.release} has no {module} ({feature.options[0]})", _modules(here)
        )
    nowhere = f"no /lib/modules/{here.release} and no kernel configuration to look at"
    return finding(name, "warning", f"cannot be known: {nowhere}")


def _modules(here: Machine) -> str:
    """What brings the modules that a trimmed kernel of a cloud image leaves out."""
    distribution = machine.distribution(here)
    packages = {"ubuntu": f"linux-modules-extra-{here.release}", "debian": "linux-image-amd64"}
    if distribution.identity in packages:
        return here.as_root(f"apt-get install -y {packages[distribution.identity]}")
    if distribution.family == "dnf":
        return here.as_root(f"dnf install -y kernel-modules-{here.release}")
    return "boot the distribution's standard kernel"
