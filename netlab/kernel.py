"""Tells what the running kernel can do without making it do it: built in, loaded, available, absent, or unknown."""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from netlab.machine import Machine

State = Literal["built in", "loaded", "available", "absent", "unknown"]


@dataclass(frozen=True, slots=True)
class Feature:
    """Something the lab needs of the kernel. Any one of ``modules`` will do, or of the kernel's own ``options``."""

    name: str
    modules: tuple[str, ...]
    options: tuple[str, ...]


VETH: Final = Feature("veth pairs", ("veth",), ("CONFIG_VETH",))
BRIDGE: Final = Feature("bridges", ("bridge",), ("CONFIG_BRIDGE",))
NAT: Final = Feature("address translation", ("nf_nat", "nf_nat_ipv4"), ("CONFIG_NF_NAT",))
MASQUERADE: Final = Feature(
    "masquerading",
    ("xt_MASQUERADE", "ipt_MASQUERADE"),  # the latter until Linux 5.2
    ("CONFIG_NETFILTER_XT_TARGET_MASQUERADE", "CONFIG_IP_NF_TARGET_MASQUERADE"),
)
NFT: Final = Feature("nf_tables", ("nf_tables",), ("CONFIG_NF_TABLES",))
COMPAT: Final = Feature("iptables' rules in nf_tables", ("nft_compat",), ("CONFIG_NFT_COMPAT",))
LEGACY: Final = Feature("ip_tables", ("ip_tables",), ("CONFIG_IP_NF_IPTABLES_LEGACY", "CONFIG_IP_NF_IPTABLES"))
BRIDGE_FILTER: Final = Feature("iptables on a bridge", ("br_netfilter",), ("CONFIG_BRIDGE_NETFILTER",))


class Kernel:
    """A machine's running kernel, by /proc/modules, /sys/module, /lib/modules and the kernel's configuration."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def state(self, feature: Feature) -> State:
        """The best that can be said of any of the feature's modules."""
        if any(name in self._loaded or self._machine.path(f"/sys/module/{name}").is_dir() for name in feature.modules):
            # /sys/module also lists what is built in, and /proc/modules never does
            return "loaded" if any(name in self._loaded for name in feature.modules) else "built in"
        said = {self._options.get(option) for option in feature.options}
        if "y" in said or not self._builtin.isdisjoint(feature.modules):
            return "built in"
        if not self._available.isdisjoint(feature.modules):
            return "available"
        if self._available or (self._options and said == {None}):
            return "absent"
        return "unknown"

    @property
    def loads(self) -> bool:
        """May modules still be loaded?"""
        return self._machine.number("/proc/sys/kernel/modules_disabled") != 1

    @property
    def replaced(self) -> bool:
        """Are there modules, but none of the running kernel? So it is after an update, until the next boot."""
        folder = self._machine.path("/lib/modules")
        return folder.is_dir() and any(folder.iterdir()) and not (folder / self._machine.release).is_dir()

    @cached_property
    def _loaded(self) -> frozenset[str]:
        return frozenset(line.split()[0] for line in (self._machine.text("/proc/modules") or "").splitlines() if line)

    @cached_property
    def _builtin(self) -> frozenset[str]:
        return self._modules("modules.builtin")

    @cached_property
    def _available(self) -> frozenset[str]:
        return self._modules("modules.dep")

    def _modules(self, index: str) -> frozenset[str]:
        text = self._machine.text(f"/lib/modules/{self._machine.release}/{index}") or ""
        paths = (line.partition(":")[0] for line in text.splitlines())
        return frozenset(re.sub(r"\.ko(\.\w+)?$", "", path.rpartition("/")[2]).replace("-", "_") for path in paths)

    @cached_property
    def _options(self) -> dict[str, str]:
        """The kernel's configuration: what is set to y or m; empty where it is not published."""
        try:
            text = gzip.decompress(self._machine.path("/proc/config.gz").read_bytes()).decode("ascii", "replace")
        except (OSError, EOFError):
            text = self._machine.text(f"/boot/config-{self._machine.release}") or ""
        return dict(re.findall(r"^(CONFIG_\w+)=([ym])$", text, re.MULTILINE))
