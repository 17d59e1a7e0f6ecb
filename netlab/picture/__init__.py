"""The lab as a picture: stacks, cards, cables, rules, as the facts show them and no course declares them.

Pure. ``queries`` says what has to be read, ``picture`` makes the value, and ``elements`` takes it apart again, so that
two pictures can be compared: what is there now, and what was there before or will be.
"""

from netlab.picture.apart import Element, elements, picture_json
from netlab.picture.seen import FORWARD, natural, picture, queries
from netlab.picture.values import NOTHING, Card, Chain, End, Node, Picture, Shown, Way

__all__ = [
    "FORWARD",
    "NOTHING",
    "Card",
    "Chain",
    "Element",
    "End",
    "Node",
    "Picture",
    "Shown",
    "Way",
    "elements",
    "natural",
    "picture",
    "picture_json",
    "queries",
]
