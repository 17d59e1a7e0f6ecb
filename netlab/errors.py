"""The error tree: whose move it is, what happened in the kernel's own words, what to do next, and the exit code."""

from __future__ import annotations

from collections.abc import Sequence


class NetlabError(Exception):
    """Something that netlab can explain.

    ``message`` says what is wrong; ``details`` are further lines (the command, what the kernel said, near names);
    ``hint`` is the next thing to do. ``code`` is the process's exit code, see the README's table.
    """

    code = 1

    def __init__(self, message: str, *, details: Sequence[str] = (), hint: str = "") -> None:
        super().__init__(message, tuple(details), hint)
        self.message = message
        self.details = tuple(details)
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        """Errors cross from the process inside the sandbox to the one outside, keywords included."""
        return _rebuild, (type(self), self.message, self.details, self.hint, self.code)

    def __str__(self) -> str:
        return self.message


def _rebuild(kind: type[NetlabError], message: str, details: tuple[str, ...], hint: str, code: int) -> NetlabError:
    error = kind(message, details=details, hint=hint)
    error.code = code
    return error


class UsageError(NetlabError):
    """The caller's move: an argument, a step's name, a parameter or the lab file is wrong."""

    code = 2


class CourseError(NetlabError):
    """The course author's move: a course that cannot be loaded, or whose graph is no graph."""

    code = 2


class CommandFailed(NetlabError):
    """A command ran and failed for good."""

    code = 1


class DidNotHold(NetlabError):
    """A command ran and said nothing, and the kernel still does not show what it should have made true."""

    code = 1


class Conflict(NetlabError):
    """Something that is not ours is in the way."""

    code = 4


class UnsafeState(NetlabError):
    """The state folder, the journal or the lock cannot be trusted or had."""

    code = 4


class Unreadable(UnsafeState):
    """What the state folder holds cannot be understood, by this netlab at least."""


class Untrusted(NetlabError):
    """Root would execute what somebody else can write."""

    code = 4


class Missing(NetlabError):
    """The machine lacks something: a program, a kernel feature, a right."""

    code = 5


class Interrupted(NetlabError):
    """A signal arrived. ``code`` is 128 + the signal's number, as a shell reports it."""

    code = 130
