"""A course of two steps, for the tests: a switch, and an address on it."""

from types import ModuleType

from . import address, surroundings, switch
from .lab import Lab

__all__ = ["COURSE", "Lab", "surroundings"]

COURSE: dict[str, ModuleType] = {"switch": switch, "address": address}
