"""Many at once: netlabs on one lab, one at a time, with somebody else at iptables; and sandboxes, made and ended."""

from __future__ import annotations

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.kernel.runner import COMMAND, Netlab
from tests.kernel.tutorial import STEPS

pytestmark = pytest.mark.kernel

MEASURED = False

COMMANDS = (
    ["apply", "--no-prove"],
    ["status"],
    ["undo", "--from", "nat"],
    ["apply", "--until", "bridge"],
    ["plan"],
    ["undo"],
    ["snapshot"],
)

STRANGER = """
trap 'exit 0' TERM
i=0
while [ $i -lt 250 ]; do
  i=$((i + 1))
  iptables -w -A INPUT -s 203.0.113.$i -j DROP
  iptables -w -t nat -A POSTROUTING -s 203.0.113.$i -o ens33 -j MASQUERADE
  [ -e stop ] && break
  sleep 0.05
done
echo $i
"""

CLEARED = """
iptables -F INPUT; iptables -X INPUT; nft delete table ip filter
iptables -t nat -F POSTROUTING; iptables -t nat -X POSTROUTING; nft delete table ip nat
"""


@pytest.mark.parametrize("count", [6, pytest.param(20, marks=[pytest.mark.torture, pytest.mark.timeout(600)])])
def test_netlabs_on_one_lab(lab: Netlab, count: int) -> None:
    stop = lab.home / "work/stop"
    stop.unlink(missing_ok=True)
    with lab.process("exec", "host", "--", "sh", "-c", STRANGER) as stranger:
        processes = [
            subprocess.Popen(
                [*COMMAND, *COMMANDS[number % len(COMMANDS)], "--json", "--wait", "300"],
                env=lab.environment, cwd=lab.home, text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )
            for number in range(count)
        ]  # fmt: skip
        # One that does not want to wait is told for whom it would.
        told = [lab.run("status", "--wait", "0")]
        while told[-1].code != 4 and any(each.poll() is None for each in processes):
            told.append(lab.run("status", "--wait", "0"))
        ended = [(process.communicate(timeout=300), process.returncode) for process in processes]
        stop.touch()
        number = int(stranger.communicate(timeout=60)[0])
    for (_, err), code in ended:
        assert code == 0, err
    refused = [each.err for each in told if each.code == 4]
    assert refused
    for said in refused:
        assert "another netlab is at work on 'default': pid " in said or "it has just begun" in said
    for table, chain in (("filter", "INPUT"), ("nat", "POSTROUTING")):
        rules = lab.type(f"iptables -t {table} -S {chain}").count("-s 203.0.113.")
        assert rules == number, f"{rules} of the stranger's {number} rules are in {table}"
    lab.apply()
    assert lab.states() == dict.fromkeys(STEPS, "done")
    lab.undo()
    lab.type(CLEARED)


@pytest.mark.parametrize("count", [12, pytest.param(1000, marks=[pytest.mark.torture, pytest.mark.timeout(7200)])])
def test_sandboxes_made_and_ended(netlab: Netlab, count: int) -> None:
    """Four at a time; the last ones take no longer than the first."""

    def mounts() -> list[str]:
        """Those of this netlab's; another test's may come and go meanwhile."""
        return [each for each in Path("/proc/self/mountinfo").read_text().splitlines() if str(netlab.home) in each]

    before = mounts()

    def life(number: int) -> float:
        begun = time.monotonic()
        for words in (["sandbox", "start"], ["sandbox", "end"]):
            subprocess.run(
                [*COMMAND, *words, "--sandbox", f"s{number}"],
                env=netlab.environment, cwd=netlab.home, check=True, capture_output=True, timeout=120,
            )  # fmt: skip
        return time.monotonic() - begun

    with ThreadPoolExecutor(4) as pool:
        seconds = list(pool.map(life, range(count)))
    assert netlab.left() == []
    assert mounts() == before
    tenth = count // 10
    if tenth >= 100:
        first, last = (sum(some) / tenth for some in (seconds[:tenth], seconds[-tenth:]))
        print(f"{count} sandboxes: {first:.2f} s each at first, {last:.2f} s at last")
        assert last < 1.25 * first
