"""A course with its parameters filled in, and what the lab's state keeps of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from netlab import contract, parameters
from netlab.course import Course, load, place
from netlab.errors import Unreadable
from netlab.model import Chapter, Operation
from netlab.operations import dump
from netlab.operations import load as load_operation
from netlab.parameters import Values
from netlab.state import BEGIN_AGAIN


@dataclass(frozen=True, slots=True)
class Choice:
    """A course with the lab's parameters filled in: what somebody asked for."""

    course: Course
    values: Values
    parameters: Any
    chapters: tuple[Chapter, ...]

    @classmethod
    def of(cls, folder: Path, values: Values) -> Choice:
        """Raises CourseError and UsageError for what is wrong with either."""
        course = load(folder)
        filled = parameters.lab(course.lab_type, values)
        return cls(course, values, filled, course.chapters(filled))

    def around(self) -> tuple[Operation, ...]:
        """What the surroundings of a sandbox are made of. Raises CourseError for what is wrong with them."""
        return contract.around(self.course.surroundings, self.parameters)

    def surroundings(self) -> dict[str, Any]:
        """What a sandbox's record keeps of what was built around its lab host, as it reads when it comes back."""
        built = {"nodes": self.course.surroundings.NODES, "operations": [dump(each) for each in self.around()]}
        return _as_read(built)

    def declared(self) -> dict[str, str]:
        """The namespaces that the course makes, with the step that makes each."""
        made = ((thing, each.name) for each in self.chapters for one in each.operations for thing in one.makes)
        return {thing[1]: step for thing, step in made if thing[0] == "netns"}

    def record(self) -> dict[str, Any]:
        """What the lab's state keeps of it: enough to undo when the course is gone."""
        record = {
            "course": str(place(self.course.folder)),
            "values": self.values,
            "parameters": self.parameters.model_dump(mode="json"),
            "chapters": [
                {
                    "name": each.name,
                    "summary": each.summary,
                    "needs": list(each.needs),
                    "operations": [dump(operation) for operation in each.operations],
                }
                for each in self.chapters
            ],
        }
        return _as_read(record)


def _as_read(record: dict[str, Any]) -> dict[str, Any]:
    """JSON has no tuples."""
    read: dict[str, Any] = json.loads(json.dumps(record))
    return read


def recorded_chapters(record: dict[str, Any]) -> tuple[Chapter, ...]:
    """The chapters that ``Choice.record`` kept, without their proofs. Raises Unreadable for anything else."""
    try:
        return tuple(
            Chapter(
                each["name"],
                each["summary"],
                tuple(each["needs"]),
                tuple(load_operation(operation) for operation in each["operations"]),
            )
            for each in record["chapters"]
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unreadable(
            f"what the lab's record says of its steps cannot be understood: {error!r}", hint=BEGIN_AGAIN
        ) from None
