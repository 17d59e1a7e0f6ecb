"""Walks of the graph: look, apply, undo, prove. They print nothing and start no process; events tell what happens."""

from netlab.engine.applying import apply, apply_one, commands
from netlab.engine.looking import LabHost, Look, Looked, State, facts_for, look, settle
from netlab.engine.proving import MUST_PASS, prove
from netlab.engine.undoing import Taken, to_take_back, undo

__all__ = [
    "MUST_PASS",
    "LabHost",
    "Look",
    "Looked",
    "State",
    "Taken",
    "apply",
    "apply_one",
    "commands",
    "facts_for",
    "look",
    "prove",
    "settle",
    "to_take_back",
    "undo",
]
