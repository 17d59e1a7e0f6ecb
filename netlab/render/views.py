"""What the commands that only look have found, as lines: plan, status, steps, doctor, sandboxes, differences.

``quiet`` leaves out whatever is in order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from netlab.render.lines import Line, Span, first, line, pad, several, widest
from netlab.views import Fault, Finding, PlanView, SandboxRow, StepNode, StepPlan, StepStatus, tree

MARKS: dict[str, Span] = {
    "done": ("✓ ", "green"),
    "partial": ("◐ ", "yellow"),
    "todo": ("○ ", "dim"),
    "drifted": ("! ", "red"),
    "ok": ("✓ ", "green"),
    "warning": ("! ", "yellow"),
    "missing": ("✗ ", "red"),
    "conflict": ("✗ ", "red"),
}


def plan_lines(plan: PlanView, *, quiet: bool) -> Iterator[Line]:
    """Every command as a person would type it. Names and remarks are the shell's comments: all of it can be pasted."""
    pending = [step for step in plan.steps if step.commands or step.only_if_missing]
    if not pending:
        if not quiet:
            held = several(sum(step.held for step in plan.steps), "operation")
            yield line(("# nothing to do", "bold"), f": {held} already there", hang=2)
        return
    width = widest(step.name for step in plan.steps)
    for step in plan.steps:
        if step in pending:
            yield from _step_plan(step)
        elif not quiet:
            yield line(("# ", "dim"), pad(step.name, width), (f"  {step.held} already there", "dim"), hang=4)


def _step_plan(step: StepPlan) -> Iterator[Line]:
    there = f" ({step.held} already there)" if step.held else ""
    yield line(
        ("# ", "dim"), (step.name, "bold"), (f" — {step.summary}{there}" if step.summary else there, "dim"), hang=4
    )
    given = set(step.only_if_missing)
    for command in step.commands:
        yield line(f"  {command}", ("  # only if missing" if command in given else "", "dim"))
    for command in step.only_if_missing:
        if command not in step.commands:
            yield line(f"  {command}", ("  # only if missing", "dim"))


def status_lines(steps: Sequence[StepStatus], *, quiet: bool, verbose: bool) -> Iterator[Line]:
    """Each step's state; of one that is partial or drifted, what is missing (of much only the first few)."""
    width = widest(step.name for step in steps)
    for step in steps:
        if step.state == "done" and quiet:
            continue
        style = "dim" if step.state == "todo" else ""
        name = (pad(step.name, width), style or "bold")
        yield line(MARKS[step.state], name, f"  {step.state:<7}", (f"  {step.summary}", "dim"), hang=width + 13)
        if step.state in ("partial", "drifted"):
            missing = [(line("    missing: ", (each, MARKS[step.state][1]), hang=13),) for each in step.missing]
            yield from (each for block in first(missing, everything=verbose) for each in block)
    if not quiet:
        done = sum(step.state == "done" for step in steps)
        yield line()
        yield line(f"{done} of {several(len(steps), 'step')} done")


def steps_lines(steps: Sequence[StepNode], *, verbose: bool) -> Iterator[Line]:
    """The graph as a tree, with the needs that its branches do not show."""
    rows = tree(steps)
    names = [branch + node.name for branch, node, _ in rows]
    width = widest(names)
    for (branch, node, others), name in zip(rows, names, strict=True):
        rest = " " * (width - widest([name]))
        needs = f"needs {' and '.join(others)} too. " if others else ""
        counts = f" ({several(node.operations, 'operation')}, {several(node.proofs, 'proof')})" if verbose else ""
        about: tuple[Span, ...] = (("  " + needs, "yellow"), (node.summary + counts, "dim"))
        yield line((branch, "dim"), (node.name, "bold"), rest, *about, hang=width + 2)
    operations, proofs = sum(step.operations for step in steps), sum(step.proofs for step in steps)
    yield line()
    yield line(f"{several(len(steps), 'step')}, {several(operations, 'operation')}, {several(proofs, 'proof')}", hang=2)


def findings_lines(findings: Sequence[Finding], *, quiet: bool) -> Iterator[Line]:
    """What was looked at, and beneath it the command that cures it."""
    width = widest(each.name for each in findings)
    for each in findings:
        if each.level == "ok" and quiet:
            continue
        yield line(MARKS[each.level], pad(each.name, width), f"  {each.detail}", hang=width + 4)
        yield from (line(("    → ", "cyan"), cure) for cure in each.cure.splitlines())
    if not quiet:
        missing, conflicts, warnings = (
            sum(each.level == level for each in findings) for level in ("missing", "conflict", "warning")
        )
        words = [f"{several(missing, 'thing')} missing"] if missing else []
        words += [several(conflicts, "conflict")] if conflicts else []
        words += [] if words else ["nothing is missing"]
        words += [several(warnings, "warning")] if warnings else []
        yield line()
        yield line((", ".join(words), "red" if missing or conflicts else "green"))


def sandboxes_lines(rows: Sequence[SandboxRow]) -> Iterator[Line]:
    """A table."""
    if not rows:
        yield line("no sandbox")
        return
    table = [("name", "state", "made by", "since", "steps")]
    table += [(row.name, row.state, row.made_by, row.since, row.steps) for row in rows]
    widths = [widest(column) for column in zip(*table, strict=True)]
    styles = {"alive": "green", "dead": "red", "orphan": "yellow", "unknown": "red"}
    for number, cellsof in enumerate(table):
        padded = [pad(cell, width) + "  " for cell, width in zip(cellsof, widths, strict=True)]
        if number == 0:
            yield line(*((cell, "dim") for cell in padded))
        else:
            yield line(padded[0], (padded[1], styles[cellsof[1]]), *padded[2:])


def faults_lines(faults: Sequence[Fault], *, quiet: bool) -> Iterator[Line]:
    """What is wrong with a course, as compilers say it, so that editors find the place; and what to do."""
    for each in faults:
        yield line((f"{each.file}:{each.line}: ", "bold"), each.what, hang=4)
        yield line(("    → ", "cyan"), each.todo, hang=6)
    if faults:
        yield line()
        yield line((several(len(faults), "fault"), "red"))
    elif not quiet:
        yield line(("nothing is wrong with the course", "green"))


def differences_lines(lines: Sequence[str], notes: Sequence[str], *, quiet: bool) -> Iterator[Line]:
    """A diff's lines, coloured as such; ``notes`` are differences that do not count."""
    styles = {"+": "green", "-": "red"}
    yield from (line((each, styles.get(each[:1], ""))) for each in lines)
    if not quiet:
        yield from (line((f"# {each}", "dim"), hang=2) for each in notes)
        if not lines:
            yield line("no difference")
