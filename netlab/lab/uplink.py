"""This machine's way out, from its default route, and what a course makes of it."""

from __future__ import annotations

from ipaddress import ip_interface

from netlab.course import Course
from netlab.errors import Missing, UsageError
from netlab.model import Stack, Uplink
from netlab.parameters import Values, merged


def uplink(stack: Stack, card: str = "") -> Uplink:
    """The card of the default route with the smallest metric (of those by ``card``, where one is named).

    Raises Missing where there is none, and UsageError for a card that the machine has not.
    """
    if card and card not in stack.links:
        raise UsageError(
            f"this machine has no card {card!r}", details=(f"there are: {', '.join(_real(stack))}",), hint="ip link"
        )
    defaults = [each for each in stack.routes if each.destination == "default" and each.dev]
    defaults = sorted(
        (each for each in defaults if card in ("", each.dev)), key=lambda each: int(each.metric or 0)
    )  # of equal ones the first, as the kernel does
    if not defaults and not card:
        raise Missing(
            "this machine has no default route, so its uplink cannot be told",
            details=(f"its cards: {', '.join(_real(stack))}",),
            hint="name the card that leads out: --set uplink=CARD",
        )
    name = card or defaults[0].dev
    addresses = (ip_interface(each.cidr) for each in stack.addresses if each.dev == name and ":" not in each.cidr)
    address = next((str(each.ip) for each in addresses), "")
    return Uplink(name, address, defaults[0].via if defaults else "")


def _real(stack: Stack) -> list[str]:
    return [name for name, link in stack.links.items() if link.kind != "loopback"] or ["none"]


def on_machine(course: Course, stack: Stack, values: Values) -> Values:
    """``values`` over those that the course takes from the machine's uplink.

    Raises CourseError for a course that is for sandboxes only, Missing for what the machine does not tell.
    """
    around = course.surroundings
    found = uplink(stack, str(values.get(around.UPLINK, "")))
    told: Values = around.on_host(found)
    asked = around.on_host(Uplink("?", "?", "?"))  # tells which parameters the uplink is asked for
    unknown = [key for key in told if told[key] == "" and asked[key] == "?" and key not in values]
    if unknown:
        raise Missing(
            f"the card {found.card} does not tell the lab's {' and '.join(unknown)}",
            details=("it has no IPv4 address, or no default route with a gateway goes by it",),
            hint="give it: " + " ".join(f"--set {key}=ADDRESS" for key in unknown),
        )
    return merged(told, values)
