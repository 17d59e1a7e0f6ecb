"""Where a learner is: kept in the lab's folder, and never believed. What holds is asked of the kernel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from netlab.words import LANGUAGES

Page = Literal["lesson", "question", "commands", "proof", "kernel", "ending"]
"""The parts of a step, in order; and the ending, which belongs to none."""

PAGES: tuple[Page, ...] = get_args(Page)


@dataclass(frozen=True, slots=True)
class Progress:
    """The step and the page that a learner was at last, and the language."""

    step: str
    page: Page
    language: str

    @classmethod
    def load(cls, record: Mapping[str, Any] | None) -> Progress | None:
        """What ``dump`` wrote; None for anything else."""
        match record:
            case {"step": str(step), "page": str(page), "language": str(language)} if (
                page in PAGES and language in LANGUAGES
            ):
                return cls(step, PAGES[PAGES.index(page)], language)
        return None

    def dump(self) -> dict[str, Any]:
        return {"step": self.step, "page": self.page, "language": self.language}
