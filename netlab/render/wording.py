"""A command word for word, as a table: what each is there for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from netlab.learn import scenes
from netlab.prose import Spans
from netlab.render.lines import Line, line, pad, widest
from netlab.render.prose import hung, styled


def words_lines(scene: scenes.Words, columns: int) -> Iterator[Line]:
    """Neighbours that are explained together are one row."""
    yield line(("$ ", "dim"), (scene.command, "bold"))
    rows = list(_rows(scene))
    width = min(widest(words for words, _ in rows), columns // 3)
    for words, about in rows:
        yield from hung([(f"  {pad(words, width)}  ", "bold cyan")], styled(about), columns)


def _rows(scene: scenes.Words) -> Iterator[tuple[str, Spans]]:
    numbered = enumerate(scene.about)
    # What nothing explains stands alone.
    for (about, _), group in groupby(numbered, key=lambda each: (each[1][1], 0 if each[1][1] else each[0])):
        yield " ".join(word for _, (word, _) in group), about or (("–", ""),)
