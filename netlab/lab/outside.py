"""The lab seen from outside: what its state folder knows of it, whether it lives in a sandbox or on this machine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

from netlab import parameters
from netlab.course import place
from netlab.lab.choice import Choice
from netlab.lab.inside import Inside
from netlab.parameters import Values
from netlab.state import State

T = TypeVar("T")
I = TypeVar("I", bound=Inside)  # noqa: E741 the usual letter for what is inside


class Lab(ABC, Generic[I]):
    """The lab whose state is in ``state``'s folder, seen from outside. Its lock is the caller's to hold."""

    def __init__(self, state: State) -> None:
        self.state = state
        state.check()

    @property
    def record(self) -> dict[str, Any] | None:
        """What ``Choice.record`` wrote when the lab was made; None without a lab."""
        record: dict[str, Any] | None = self.state.read("lab.json", ("course", "values", "parameters", "chapters"))
        return record

    @property
    @abstractmethod
    def there(self) -> bool:
        """Is there a lab host to look at?"""

    @property
    @abstractmethod
    def kept(self) -> bool:
        """Does the state folder hold anything that has to stay?"""

    @abstractmethod
    def bury(self) -> str:
        """Forget a lab that is gone, and say so; "" where none is."""

    @abstractmethod
    def ensure(self, choice: Choice, *, made_by: str) -> str:
        """Have a lab host, and say what the caller should know of it; mostly ""."""

    @abstractmethod
    def inside(self, work: Callable[[I], T], choice: Choice | None = None) -> T:
        """Run ``work`` where the lab's tools run; ``choice`` brings the proofs."""

    def choose(self, folder: Path, values: Values) -> Choice:
        """The course and parameters asked for, over those that the lab was made with."""
        return Choice.of(folder, parameters.merged(self.recorded(folder), values))

    def recorded(self, folder: Path) -> Values:
        """The parameters that the lab was made with, where it was made from this course."""
        record = self.record
        values: Values = record["values"] if record is not None and Path(record["course"]) == place(folder) else {}
        return values
