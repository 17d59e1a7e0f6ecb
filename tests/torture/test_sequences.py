"""Any sequence of applying, undoing, drifting, killing and changing parameters ends as it should: a state machine.

However it went: `apply` brings the whole lab, its steps are all done, and `undo` leaves the lab host as it was.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from tests.kernel.runner import Netlab, processes_of, until
from tests.kernel.tutorial import STEPS
from tests.torture.faults import entries

pytestmark = pytest.mark.kernel

MEASURED = False

DRIFTS = {
    "a cable cut": "ip link del veth1",
    "a card down": "ip link set veth2 down",
    "an address taken away": "ip -n container1 addr flush dev eth1",
    "another address": "ip -n container2 addr add 172.168.1.12/16 dev eth2",
    "the bridge gone": "ip link del br0",
    "a port unplugged": "ip link set veth1 nomaster",
    "a route gone": "ip -n container1 route flush default",
    "forwarding switched off": "sysctl -q net.ipv4.ip_forward=0",
    "chains flushed": "for chain in POSTROUTING PREROUTING; do nft flush chain ip nat $chain; done",
    "a rule doubled": "iptables -t nat -A POSTROUTING -s 172.168.1.0/24 -o ens33 -j MASQUERADE",
    "the policy DROP": "iptables -P FORWARD DROP",
    "a namespace that its server keeps alive": "ip netns del container2",
    "a server killed": "kill $(ip netns pids container1)",
    "all typed that there is not": "ip netns add container1; ip link add br0 type bridge; ip link set br0 up",
}
"""What is typed by hand, whether it works just then or not."""

UNDONE = "iptables -P FORWARD ACCEPT; iptables -X FORWARD; nft delete table ip filter"
"""The policy DROP is a stranger's own, and stays after undo: it is set back by hand."""


class Sequences(RuleBasedStateMachine):
    lab: Netlab
    tried: int = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).tried += 1
        self.other = False
        self.dropped = False
        self.said: list[str] = []

    def _run(self, *words: str) -> None:
        """It may be refused; it is never lost for words."""
        done = self.lab.run(*words)
        self.said.append(f"{' '.join(words)}: {done.code}")
        assert done.code in (0, 1, 2, 4), f"{self.said}\n{done}"
        assert "Traceback" not in done.err, f"{self.said}\n{done}"

    @rule(step=st.sampled_from(STEPS))
    def apply(self, step: str) -> None:
        self._run("apply", "--no-prove", "--json", "--until", step)

    @rule(step=st.sampled_from(STEPS))
    def undo(self, step: str) -> None:
        self._run("undo", "--json", "--from", step)

    @rule(name=st.sampled_from(sorted(DRIFTS)))
    def drift(self, name: str) -> None:
        self.said.append(name)
        self.dropped = self.dropped or name == "the policy DROP"
        self.lab.run("exec", "host", "--", "sh", "-c", DRIFTS[name])

    @rule(walk=st.sampled_from(["apply", "undo"]), moment=st.floats(0.2, 0.9))
    def kill(self, walk: str, moment: float) -> None:
        self.said.append(f"{walk} killed after {moment:g} s")
        with self.lab.process(walk, "--json") as process:
            time.sleep(moment)
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
            process.communicate(timeout=60)

    @rule(settings=st.sampled_from(["containers=3", "bridge=br7", "web_port=8080", "subnet=10.9.0.0/24"]))
    def other_parameters(self, settings: str) -> None:
        """Refused while a step stands; and if not, it has to be taken back for the next ones."""
        done = self.lab.run("apply", "--no-prove", "--json", "--until", "gateway", "--set", settings)
        self.said.append(f"--set {settings}: {done.code}")
        assert done.code in (0, 1, 2, 4), f"{self.said}\n{done}"
        if done.code != 2:
            self.lab.undo()
            self._run("apply", "--no-prove", "--until", "namespaces", *DEFAULTS)

    @precondition(lambda self: not self.other)
    @rule()
    def another_sandbox(self) -> None:
        self.other = True
        self._run("apply", "--no-prove", "--until", "bridge", "--sandbox", "other")

    def teardown(self) -> None:
        lab = self.lab
        try:
            lab.apply()
            assert lab.states() == dict.fromkeys(STEPS, "done")
            lab.undo()
            if self.dropped:
                lab.run("exec", "host", "--", "sh", "-c", UNDONE)
            assert lab.differences(lab.start) == []
            assert entries(lab) == []
            until(lambda: [*processes_of(lab.holder()).values()] == ["sleep"])
        except BaseException:
            print("\n".join(self.said))
            lab.end()
            lab.begin()
            raise
        finally:
            if self.other and (lab.base / "other").exists():
                lab("sandbox", "end", "--sandbox", "other")


DEFAULTS = ("--set", "containers=2", "--set", "bridge=br0", "--set", "web_port=80", "--set", "subnet=172.168.1.0/24")


COUNT = 40


@pytest.mark.timeout(900)
@pytest.mark.parametrize("number", [0, *(pytest.param(each, marks=pytest.mark.torture) for each in range(1, 25))])
def test_every_sequence_ends_as_it_should(lab: Netlab, number: int) -> None:
    @seed(number)
    class Machine(Sequences):
        pass

    Machine.lab = lab
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=COUNT,
            stateful_step_count=4,
            deadline=None,
            database=None,
            phases=(Phase.generate,),  # a sequence that fails is printed: to shrink it takes an hour
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert Machine.tried >= COUNT
