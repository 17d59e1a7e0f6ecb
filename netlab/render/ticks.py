"""What is drawn anew in its place: the operations of a hands-on step, and the list of steps to choose from."""

from __future__ import annotations

from collections.abc import Sequence

from netlab.learn import scenes
from netlab.render.lines import Block, Line, cells, crop, line, pad, widest
from netlab.render.prose import hung
from netlab.words import Words

_TICKS = {"done": ("✓", "green"), "open": ("○", "dim"), "wrong": ("✗", "bold red"), "in the way": ("!", "bold yellow")}
_STATES = {"done": ("✓", "green"), "partial": ("◐", "yellow"), "todo": ("○", "dim"), "drifted": ("✗", "bold red")}


def ticks_lines(scene: scenes.Ticks, words: Words, columns: int, rows: int = 10_000) -> list[Line]:
    """Each operation, those that are done with their command; of many those from the first one that is not done."""
    done = sum(each.state == "done" for each in scene.ticks)
    head = line((words.table("ticks")["head"].format(done=done, total=len(scene.ticks)), "bold"))
    blocks = [_tick(each, columns) for each in scene.ticks]
    first = next((number for number, each in enumerate(scene.ticks) if each.state != "done"), 0)
    return [head, *_window(blocks, first, rows - 1, words)]


def _tick(tick: scenes.Tick, columns: int) -> Block:
    mark, style = _TICKS[tick.state]
    shown = line((f"  {mark} ", style), (tick.operation, "dim" if tick.state == "open" else ""))
    if tick.state == "done" and cells(f"{shown.text}  $ {tick.command}") <= columns:
        shown = line(*shown.spans, (f"  $ {tick.command}" if tick.command else "", "dim"))
    why = hung([("      ", "")], [(tick.why, style)], columns) if tick.why else ()
    return crop(shown, columns), *why


def listed_lines(scene: scenes.Listed, words: Words, columns: int, rows: int) -> list[Line]:
    """Each step with its state, the one that would be taken turned round, and marked for who sees no styles."""
    width = widest(each.step for each in scene.rows)
    blocks: list[Block] = []
    for number, each in enumerate(scene.rows):
        mark, style = _STATES[each.state]
        here = number == scene.at
        head = line(("▸ " if here else "  ", "bold"), (mark, style), f" {number + 1:>2}  ")
        text = line(*head.spans, (pad(each.step, width), "bold reverse" if here else "bold"), f"  {each.title}")
        blocks.append((crop(text, columns),))
    return [
        line((words.table("ticks")["list"], "bold")),
        *_window(blocks, max(scene.at - rows // 2, 0), rows - 1, words),
    ]


def _window(blocks: Sequence[Block], first: int, rows: int, words: Words) -> list[Line]:
    """All lines where they have room, else those from ``first`` on, and how many are left out above and below."""
    if sum(map(len, blocks)) <= rows:
        return [each for block in blocks for each in block]
    more = words.table("ticks")["more"]
    while first and sum(map(len, blocks[first - 1 :])) < rows:
        first -= 1
    lines: list[Line] = [line((f"  ↑ {more.format(number=first)}", "dim"))] if first else []
    for number, block in enumerate(blocks[first:], first):
        rest = sum(map(len, blocks[number:]))
        if len(lines) + rest > rows and len(lines) + len(block) + 1 > rows:
            return [*lines, line((f"  ↓ {more.format(number=len(blocks) - number)}", "dim"))]
        lines += block
    return lines
