"""The keys that count now, each with its meaning in the learner's language: the last lines of the screen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from netlab.learn.scenes import Key
from netlab.render.lines import Line, Span, cells, line
from netlab.words import Words

CAPS: dict[Key, str] = {
    "next": "Enter", "hint": "h", "words": "?", "explain": "e", "solve": "s", "reset": "r", "previous": "p",
    "list": "l", "language": "L", "no": "n", "quit": "q",
}  # fmt: skip
"""What is written on each key, in the order of the bar. Numbers and arrows are drawn together."""

_KEY, _MEANING = "bold reverse", "reverse"


def meant(pressed: str, keys: Sequence[Key]) -> Key | None:
    """What ``pressed``, as netlab/keys.py names it, means among the ``keys`` that count; None for nothing.

    Escape and Ctrl-D are the way out, a blank is Enter, and a letter counts in the other case where that is free.
    """
    named: dict[str, Key] = {cap.replace("Enter", "enter"): key for key, cap in CAPS.items() if key in keys}
    for each in keys:
        if each not in CAPS:  # an arrow, a number
            named[each] = each
    leave = CAPS["no" if "no" in keys else "quit"]
    same = {" ": "enter", "escape": leave, "end": leave, "k": "up", "j": "down"}
    return named.get(pressed) or named.get(same.get(pressed, "")) or named.get(pressed.swapcase())


def keybar(keys: Sequence[Key], next_is: str, words: Words, columns: int, *, busy: bool = False) -> list[Line]:
    """One line where all keys have room in it, else as many as it takes. ``next_is`` is what Enter does now.

    ``busy``: no key counts, for netlab is at work.
    """
    items = list(_items(keys, next_is, words))
    sizes = [cells(cap) + 1 + cells(meaning) for cap, meaning in items]
    gap = 1 if columns < sum(sizes) + 2 * len(items) and sum(sizes) + len(items) <= columns else 2
    lines, used = [list[tuple[str, str]]()], 1
    for item, size in zip(items, sizes, strict=True):
        if lines[-1] and used + size + 1 > columns:
            lines.append([])
            used = 1
        lines[-1].append(item)
        used += size + gap
    return [_line(each, gap, columns, busy=busy) for each in lines]


def _items(keys: Sequence[Key], next_is: str, words: Words) -> Iterator[tuple[str, str]]:
    meanings = words.table("keys")
    numbers = [each for each in keys if each.isdigit()]
    if numbers:
        yield (f"{numbers[0]}-{numbers[-1]}" if len(numbers) > 1 else numbers[0]), meanings["choose"]
    if "up" in keys or "down" in keys:
        yield "↑↓", meanings["move"]
    for key, cap in CAPS.items():
        if key in keys:
            yield cap, next_is if key == "next" else meanings[key]


def _line(items: Sequence[tuple[str, str]], gap: int, columns: int, *, busy: bool) -> Line:
    """Dark over its whole width, so that it needs no line of its own to be told from the text."""
    spans: list[Span] = []
    for cap, meaning in items:
        spans += [(" " * (gap if spans else 1), _MEANING), (cap, _KEY), (f" {meaning}", _MEANING)]
    spans.append((" " * (columns - sum(cells(text) for text, _ in spans)), _MEANING))
    return line(*((text, "dim") if busy else (text, style) for text, style in spans))
