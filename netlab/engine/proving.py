"""The walk that proves: it runs the steps' proofs and tells what was seen."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from netlab.engine.looking import LabHost, drained
from netlab.events import Event, LeftOut, Proved
from netlab.model import Chapter

MUST_PASS = 5.0
"""Seconds for which a proof that must pass is tried again; one that must fail is tried once, and bounds itself."""


def prove(chapters: Sequence[Chapter], host: LabHost, *, phase: str = "") -> Iterator[Event]:
    """Run the proofs of these chapters, side by side, and yield what was seen, in order.

    ``phase`` "before" and "undone" turn the expectation round: there a proof must fail, within a second. What ``stays``
    must be seen in every phase. What cannot be run on this lab host is left out, and said once.
    """
    every = [(chapter.name, proof, host.left_out(proof)) for chapter in chapters for proof in chapter.proofs]
    must_fail = phase in ("before", "undone")
    since = time.monotonic()
    run = [proof for _, proof, why in every if not why]
    observations = iter(host.observe(run, seconds=0.0 if must_fail else MUST_PASS))
    seconds = time.monotonic() - since
    yield from drained(host)
    for step, proof, why in every:
        if why:
            if phase in ("", "before"):
                yield LeftOut(step, str(proof), why)
            continue
        seen = next(observations)
        right = seen.ok if proof.stays or not must_fail else not seen.ok and not seen.blind
        negated = {"before": "not yet: ", "undone": "no longer: "}.get(phase, "") if not proof.stays else ""
        expected = negated + proof.expected
        yield Proved(step, str(proof), expected, seen.text, right, seconds, phase, proof.stays)
    host.forget()
