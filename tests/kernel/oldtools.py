"""What is different for a test where the tools are as CentOS 7's are, and its whole suite runs: tests/oldtools/run."""

from __future__ import annotations

from pathlib import Path

TODAY = Path("/mnt/today")
"""Where the tools then are that stand behind the old ones."""

OLD = TODAY.exists()

NO_NFT = "CentOS 7 has no nftables"
OTHER_WORDS = "CentOS 7's tools say it in other words"
STANDING_IN = "the stand-ins for CentOS 7's tools are shells"
REASONS = (NO_NFT, OTHER_WORDS, STANDING_IN)
"""Why a test is skipped there; no other reason counts."""

NFT = str(TODAY / "nft") if OLD else "nft"


def unused(table: str) -> str:
    """The command by which an iptables table is as if nobody had ever used it."""
    if not OLD:
        return f"nft delete table ip {table}"
    # The legacy tables are the kernel's own, and stay; iptables-save knows of no rule in them then.
    chains = {"filter": ("INPUT", "FORWARD", "OUTPUT"), "nat": ()}[table]
    return "; ".join((f"iptables -t {table} -F", *(f"iptables -P {chain} ACCEPT" for chain in chains)))


FLUSHED = (
    "for table in filter nat mangle raw; do iptables -t $table -F; iptables -t $table -X; done;"
    " for chain in INPUT FORWARD OUTPUT; do iptables -P $chain ACCEPT; done"
    if OLD
    else "nft flush ruleset"
)
"""The command after which there is no rule."""
