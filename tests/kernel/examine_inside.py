"""Run inside a sandbox, which plays the machine: what examine_host finds there, as JSON. Arguments: --set's values."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import netlab
from netlab import parameters
from netlab.host import Host
from netlab.lab import Choice
from netlab.machine import Machine
from netlab.preflight import examine_host, host_queries
from netlab.services import Services

STEPS = Path(netlab.__file__).resolve().parent.parent / "steps"

if __name__ == "__main__":
    choice = Choice.of(STEPS, parameters.given(sys.argv[1:], None))
    record = choice.record()["parameters"]
    with closing(Host(Services(Path("/nonexistent")))) as host:
        facts = host.facts(host_queries(choice.chapters))
        # In a user namespace of its own, whoever runs this is root over the network that it sees.
        findings = examine_host(host.run, Machine(uid=0), choice.chapters, facts, frozenset(), record)
    print(json.dumps([asdict(each) for each in findings]))
