"""A course of one step: the table of contents, in reading order."""

from netlab.model import Step

from . import surroundings
from .address import step as address
from .lab import Lab

__all__ = ["COURSE", "Lab", "surroundings"]

COURSE: dict[str, Step] = {
    "address": address,
}
