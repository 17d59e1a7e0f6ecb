"""The README, CONTRIBUTING and CHANGELOG are held true: what they name exists, and what they show is what is there."""

from __future__ import annotations

import ast
import graphlib
import io
import json
import re
import signal
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from typer.main import get_command

import netlab
from netlab import cli, course, errors, events, lab, model, parameters, snapshot, views
from netlab import picture as pictures
from netlab.preflight import Finding
from netlab.render import Screen

TOP = Path(__file__).resolve().parent.parent
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
README, CONTRIBUTING, CHANGELOG = ((TOP / name).read_text(encoding="utf-8") for name in DOCUMENTS)

Row = tuple[str, ...]

# --- reading a document ----------------------------------------------------------------------------------------------


def section(document: str, title: str) -> str:
    found = re.search(rf"(?ms)^## {re.escape(title)}\n(.*?)(?=^## |\Z)", document)
    assert found, f"no section {title!r}"
    return found[1]


def blocks(text: str, language: str = r"\w*") -> list[str]:
    """The code blocks of a language, in order."""
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", text)


def tables(text: str) -> list[list[Row]]:
    """Each table's rows, without its head."""
    found = re.findall(r"(?m)^\|.*\n\|[-|]+\|\n((?:\|.*\n)+)", text)
    return [[tuple(cell.strip() for cell in row[1:-1].split("|")) for row in body.splitlines()] for body in found]


def bare(cell: str) -> str:
    return cell.strip("`")


def spans(text: str) -> list[str]:
    """What stands between single backticks, outside of code blocks."""
    return [" ".join(each.split()) for each in re.findall(r"`([^`]+)`", re.sub(r"(?ms)^```.*?^```$", "", text))]


# --- commands and options --------------------------------------------------------------------------------------------


@cache
def commands() -> Mapping[str, Any]:
    """Every command by its full name; "" is netlab itself."""
    root: Any = get_command(cli.app)
    found = {"": root}
    for name, command in root.commands.items():
        inner = getattr(command, "commands", {})
        found |= {f"{name} {each}": one for each, one in inner.items()} or {name: command}
    return found


def options(name: str) -> set[str]:
    """A command's own options and those that every command has; and of netlab itself what it alone has."""
    return {option for param in commands()[name].params for option in (*param.opts, *param.secondary_opts)} | {"--help"}


def mentions() -> Iterator[list[str]]:
    """The words after `netlab` wherever a command line is shown, up to ` -- `."""
    typed = [line.removeprefix("$ ") for block in blocks(README, "(?:sh|console)") for line in block.splitlines()]
    for text in (*typed, *spans(README)):
        words = re.split(r"[ ]--[ ]|;|>", text)[0].translate(str.maketrans("[]", "  ")).split()
        program = re.fullmatch(r"(?:\./scripts/lab|(?:venv/bin/)?netlab)", words[0]) if words else None
        if program or any(name and name.split() == words[: len(name.split())] for name in commands()):
            yield words[1:] if program else words


def test_every_mentioned_command_and_option_exists() -> None:
    seen = set()
    for words in mentions():
        given = [word.partition("=")[0] for word in words if word.startswith("-")]
        name = max((each for each in commands() if each.split() == words[: len(each.split())]), key=len)
        known = options(name)
        if words and not words[0].startswith("-"):
            assert name, f"netlab {' '.join(words)}: no such command"
        assert set(given) <= known, f"netlab {' '.join(words)}"
        seen |= {name}
    assert seen == set(commands())


def test_every_option_by_itself_exists() -> None:
    known = {option for name in commands() for option in options(name)}
    named = {each.split()[0].partition("=")[0] for each in spans(README) if each.startswith("-")}
    assert named <= known


def usage(name: str) -> str:
    """A command's line in the table: its options in square brackets, then its arguments, as the command says them."""
    own = [param for param in commands()[name].params if param.opts[0] not in shared()]
    named = {param.opts[-1]: "" if param.is_flag else f" {param.metavar}" for param in own if param.opts[0][0] == "-"}
    named = {option: value for option, value in named.items() if option not in ("--set", "--lab", "--help")}
    arguments = [str(param.metavar) for param in own if param.opts[0][0] != "-"]
    return " ".join(["netlab", name, *(f"[{option}{value}]" for option, value in named.items()), *arguments])


def shared() -> set[str]:
    """The names of the options that every command has."""
    return {flag for flags, _ in cli.options.SHARED.values() for flag in flags}


def test_the_table_lists_every_command_with_its_own_options() -> None:
    (table, _) = tables(section(README, "Commands"))
    listed = {bare(row[0]) for row in table}
    written = {re.sub(r"^(netlab(?: [a-z]+)+)(.*)", in_order, each) for each in listed}
    assert written == {re.sub(r"^(netlab(?: [a-z]+)+)(.*)", in_order, usage(name)) for name in commands() if name}


def in_order(match: re.Match[str]) -> str:
    parts = re.findall(r"\[[^\]]*\](?:\.\.\.)?|[^ \[\]]+", match[2])
    return " ".join([match[1], *sorted(parts)])


def test_the_table_lists_every_shared_option() -> None:
    (_, table) = tables(section(README, "Commands"))
    assert {bare(each).split()[0] for row in table for each in row[0].split(", ")} == shared()


@pytest.mark.parametrize("option", ["--set", "--lab"])
def test_the_commands_that_take_parameters_are_named(option: str) -> None:
    named = re.search(r"(?m)^((?:`[^`]+`(?:, | and )?)+) take the lab's parameters", section(README, "Commands"))
    assert named
    assert {each.split(" --")[0] for each in spans(named[1])} == {
        name for name in commands() if option in options(name)
    }


# --- the course ------------------------------------------------------------------------------------------------------


@cache
def the_course() -> course.Course:
    return course.load(course.default_folder())


def filled(**values: Any) -> Any:
    return parameters.lab(the_course().lab_type, values)


def test_the_table_of_steps_is_the_course() -> None:
    (table,) = tables(section(README, "The lab"))
    rows = [(bare(name), summary, {bare(need) for need in needs.split(", ") if need}) for name, summary, needs in table]
    chapters = the_course().chapters(filled())
    assert rows == [(each.name, each.summary, set(each.needs)) for each in chapters]


def test_the_picture_is_what_show_draws() -> None:
    """A drawing of the default lab from its facts; tests/kernel/test_show_real.py sees the kernel's look the same."""
    (picture,) = blocks(section(README, "The lab"), "console")
    assert picture == "$ netlab show\n" + (TOP / "tests/data/drawings/whole-80.txt").read_text(encoding="utf-8")


def test_the_excerpts_show_the_courses_own_commands_and_proofs() -> None:
    applied, _, undone = blocks(section(README, "What you see"), "console")
    (cycle,) = blocks(section(README, "Proofs"), "console")
    chapters = the_course().chapters(filled())
    planned = {command for step in lab.plan(chapters, lab.Nothing()).steps for command in step.commands}
    assert set(re.findall(r"(?m)^ {4}((?:ip|iptables|sysctl) .*)", applied)) <= planned
    probes = {str(proof) for each in chapters for proof in each.proofs}
    assert set(re.findall(r"(?m)^  ✓ (?:(?:before|after|undone) +)?(.*?) — ", applied + cycle)) <= probes
    names = {str(operation) for each in chapters for operation in each.operations}
    assert set(re.findall(r"(?m)^ {4}(\w.*?)(?: — .*)?$", undone)) <= names
    assert set(re.findall(r"(?m)^✓ (\w+)  ", applied + undone)) <= {each.name for each in chapters}


def test_the_table_of_parameters_is_the_labs() -> None:
    (table, _) = tables(section(README, "Parameters"))
    default = filled()
    values = {key: getattr(default, key) for key in type(default).model_fields}
    values["containers"] = len(default.containers)
    assert {bare(row[0]): bare(row[1]) for row in table} == {key: str(value) for key, value in values.items()}


def test_the_first_six_parameters_are_the_surroundings() -> None:
    (table, _) = tables(section(README, "Parameters"))
    assert "the first six are the surroundings'" in " ".join(README.split())
    asked = set[str]()
    default = filled()

    class Asked(type(default)):  # type: ignore[misc]
        def __getattribute__(self, name: str) -> object:
            asked.add(name)
            return super().__getattribute__(name)

    lab = Asked.model_construct(**dict(default))
    asked.clear()
    assert [*the_course().surroundings.operations(lab)]
    assert {bare(row[0]) for row in table[:6]} == asked & {*type(default).model_fields}


def test_the_table_of_a_containers_parameters() -> None:
    (_, table) = tables(section(README, "Parameters"))
    containers = filled(containers=12).containers
    assert [bare(row[0]) for row in table] == list(type(containers[0]).model_fields)
    for key, first, second, any_other, _ in table:
        values = [str(getattr(each, bare(key))) for each in containers]
        assert [bare(first), bare(second)] == values[:2]
        assert values[11] == {
            "address": "172.168.1.22" if any_other == "the subnet's 10 + *i*" else "",
            "port": "10012" if any_other == "10000 + *i*" else "",
        }.get(bare(key), bare(any_other).format(i=12))


def test_the_lab_file_is_one() -> None:
    (text,) = blocks(section(README, "Parameters"), "toml")
    given = tomllib.loads(text)
    made = filled(**given)
    assert (made.bridge, made.subnet) == (given["bridge"], given["subnet"])
    assert [each.name for each in made.containers] == ["blue", "green"]
    assert made.containers[0].address == "10.20.0.11"


def test_so_many_containers_are_allowed() -> None:
    filled(containers=244)
    filled(containers=1023, subnet="172.168.0.0/16")
    with pytest.raises(errors.UsageError) as few:
        filled(containers=245)
    assert "--set subnet=172.168.0.0/16" in few.value.details[0]
    assert "--set subnet=172.168.0.0/16" in spans(section(README, "Parameters"))
    with pytest.raises(errors.UsageError):
        filled(containers=1024, subnet="172.168.0.0/16")


# --- JSON ------------------------------------------------------------------------------------------------------------


def examples() -> Iterator[dict[str, Any]]:
    """Every JSON object that the README shows."""
    for block in blocks(section(README, "JSON"), "json"):
        rest = block.strip()
        while rest:
            value, end = json.JSONDecoder().raw_decode(rest)
            rest = rest[end:].lstrip()
            yield value


PROOF = events.Proved("nat", "container1 pings 192.168.0.2", "answers", "64 bytes", True, 0.1)
PICTURE = pictures.Picture(
    pictures.Node(
        "host",
        (pictures.Card("veth1", "veth", up=True, master="br0", far=pictures.End("container1", "eth1")),),
        (pictures.Way("default", "192.168.0.2", "ens33"),),
    ),
    chains=(pictures.Chain("nat", "POSTROUTING", "ACCEPT", (pictures.Shown("-j MASQUERADE", "MASQUERADE"),)),),
)

SHOWN: dict[str, Callable[[Screen], object]] = {
    "plan": lambda screen: screen.plan(views.PlanView((views.StepPlan("nat", "Out.", ("ip",), ("ip",)),))),
    "status": lambda screen: screen.status([views.StepStatus("nat", "Out.", "partial", ("a rule",))]),
    "prove": lambda screen: screen.proofs([PROOF, events.LeftOut("nat", "pings", "too far")]),
    "steps": lambda screen: screen.steps([views.StepNode("nat", "Out.", ("forwarding",), 1, 3)]),
    "explain": lambda screen: screen.lesson("nat", "en", "# NAT\n", ()),
    "course check": lambda screen: screen.faults(
        [views.Fault("nat/en.md", 1, "no title", "begin with `# `")], complete=True
    ),
    "doctor": lambda screen: screen.findings([Finding("ip", True, "ok", "/usr/sbin/ip")]),
    "sandbox list": lambda screen: screen.sandboxes([views.SandboxRow("one", "alive", "apply", "today", "")]),
    "show": lambda screen: screen.picture(PICTURE, mermaid=False),
    "export --shell": lambda screen: screen.script("#!/bin/sh\n"),
    "snapshot --compare": lambda screen: screen.differences(["a line"], []),
}


def written_text(show: Callable[[Screen], object]) -> str:
    out = io.StringIO()
    show(Screen(json=True, quiet=False, verbose=False, out=out, err=io.StringIO()))
    return out.getvalue()


def written(show: Callable[[Screen], object]) -> Any:
    return json.loads(written_text(show))


def shape(value: Any) -> Any:
    """Keys and types; of a list, the shape of all that is in it."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


@pytest.mark.parametrize("command", SHOWN)
def test_a_documented_shape_is_what_is_written(command: str) -> None:
    assert shape(written(SHOWN[command])) in [shape(each) for each in examples()]


def test_every_command_with_json_has_its_shape_documented() -> None:
    (table, _) = tables(section(README, "Commands"))
    promised = {" ".join(bare(row[0]).split()[1:]).partition(" [")[0]: row[2] for row in table}
    assert {name for name, what in promised.items() if what == "one object"} == {
        name.partition(" --")[0] for name in SHOWN
    }
    assert {name for name, what in promised.items() if what == "events"} == {"apply", "undo", "goto"}


def test_the_snapshot_shown_is_one() -> None:
    (shown,) = [each for each in examples() if "/format" in each]
    assert snapshot.load(json.dumps(shown)) == shown
    assert snapshot.dump(shown) == written_text(lambda screen: screen.snapshot(snapshot.dump(shown)))


def kinds() -> dict[str, type[events.Event]]:
    return {each.name: each for each in events.Event.__subclasses__()}


def test_the_table_of_events_is_complete() -> None:
    (table,) = tables(section(README, "JSON"))
    documented = {bare(name): [bare(key) for key in keys.split(", ")] for name, keys, _ in table}
    assert documented == {name: [each.name for each in fields(kind)] for name, kind in kinds().items()}


def test_the_events_shown_are_events() -> None:
    shown = [each for each in examples() if "event" in each]
    assert shown
    for each in shown:
        kind = kinds()[each["event"]]
        values = {key: tuple(value) if isinstance(value, list) else value for key, value in each.items()}
        event = kind(**{key: value for key, value in values.items() if key != "event"})
        assert json.loads(json.dumps(events.as_json(event))) == each
        for field in fields(event):
            assert str(field.type).partition("[")[0] == type(getattr(event, field.name)).__name__


def test_the_words_of_json_are_named() -> None:
    words = {*get_args(views.State), *get_args(views.Level), *get_args(get_type_hints(views.SandboxRow)["state"])}
    assert words <= set(spans(section(README, "JSON")))


# --- lessons ---------------------------------------------------------------------------------------------------------


def test_the_lesson_shown_is_the_courses_own() -> None:
    ((step, text),) = re.findall(r"(?ms)^\$ \./scripts/lab explain (\w+)\n(.*?)^…$", README)
    assert (the_course().folder / step / "en.md").read_text(encoding="utf-8").startswith(text)


# --- exit codes, environment -----------------------------------------------------------------------------------------


def all_errors(kind: type[errors.NetlabError] = errors.NetlabError) -> Iterator[type[errors.NetlabError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from all_errors(each)


def test_the_table_of_exit_codes() -> None:
    (table,) = tables(section(README, "Exit codes"))
    signals = {signal.SIGINT: "SIGINT", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "SIGHUP"}
    documented = {int(code): meaning for code, meaning in table}
    pending = 3  # cli: no error, so no class
    assert set(documented) == {0, pending, *(each.code for each in all_errors()), *(128 + each for each in signals)}
    for number, name in signals.items():
        assert name in documented[128 + number]


def test_every_variable_is_one_that_is_read() -> None:
    (table,) = tables(section(README, "Environment"))
    sources = [*(TOP / "netlab").rglob("*.py"), *(TOP / "scripts").iterdir()]
    text = "".join(path.read_text(encoding="utf-8") for path in sources if path.is_file())
    read_by_rich = {"NO_COLOR"}
    named = {each for row in table for each in spans(row[0])}
    assert named - read_by_rich <= set(re.findall(r"[A-Z][A-Z_]+", text))
    netlabs_own = set(re.findall(r"\bNETLAB_[A-Z]+\b", text))
    assert netlabs_own - {"NETLAB_SANDBOX", "NETLAB_COMPLETE"} <= named


# --- CONTRIBUTING ----------------------------------------------------------------------------------------------------


def rows_of_the_house() -> list[list[str]]:
    """The rooms in the picture's left half, row by row, from the top."""
    picture = blocks(section(CONTRIBUTING, "The house"))[0]
    stories = re.split(r"(?m)^ +\|\n +v\n", picture)
    return [[name for line in story.splitlines() for name in line[:48].split()] for story in stories]


def imports(path: Path) -> Iterator[str]:
    """The modules that a file imports, ``netlab.`` ones by their full name; but not what is for types only."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from (f"{module}.{alias.name}" if module == "netlab" else module for alias in node.names)


@cache
def rooms() -> dict[str, set[str]]:
    """Each module or package right under netlab/, with all that its files import."""
    found: dict[str, set[str]] = {}
    for path in (TOP / "netlab").rglob("*.py"):
        room = path.relative_to(TOP / "netlab").parts[0].removesuffix(".py")
        found.setdefault(room, set()).update(imports(path))
    del found["__init__"]
    return found


def test_the_house_has_every_room_once() -> None:
    drawn = [name for story in rows_of_the_house() for name in story]
    assert sorted(drawn) == sorted(rooms())


def test_imports_point_down_or_along_a_row_and_never_back() -> None:
    story = {name: number for number, names in enumerate(rows_of_the_house()) for name in names}
    graph = {
        room: {each.split(".")[1] for each in wanted if each.startswith("netlab.")} & set(story) - {room}
        for room, wanted in rooms().items()
    }
    up = [f"{room} imports {each}" for room, wanted in graph.items() for each in wanted if story[each] < story[room]]
    assert up == []
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError


@pytest.mark.parametrize("library", ["typer", "rich", "sh", "tenacity", "networkx", "markdown-it"])
def test_a_library_is_imported_only_where_it_is_said(library: str) -> None:
    said = re.search(rf"(?i)\b{library} (?:is imported )?only by ((?:`\w+`(?:,| and)? ?)+)", CONTRIBUTING)
    assert said
    module = library.replace("-", "_")
    importing = {room for room, wanted in rooms().items() if any(each.split(".")[0] == module for each in wanted)}
    assert importing == set(spans(said[1]))


def test_steps_import_only_what_is_said() -> None:
    wanted = {each for path in (TOP / "steps").rglob("*/step.py") for each in imports(path)}
    assert {each for each in wanted if each.startswith("netlab")} == {
        each for each in spans(section(CONTRIBUTING, "The house")) if each.startswith("netlab.")
    }
    assert {each for each in wanted if each.startswith(".")} == {"..lab"}
    assert not any(each.split(".")[0] == "steps" for imported in rooms().values() for each in imported)


@pytest.mark.parametrize("title", ["Add a step", "Add an operation"])
def test_it_takes_seven_bullets(title: str) -> None:
    assert len(re.findall(r"(?m)^- ", section(CONTRIBUTING, title))) == 7


def test_there_are_ten_contracts() -> None:
    numbers = re.findall(r"(?m)^(\d+)\. ", section(CONTRIBUTING, "The contracts"))
    assert numbers == [str(number) for number in range(1, 11)]


def test_the_parts_of_an_operation_exist() -> None:
    text = section(CONTRIBUTING, "Add an operation")
    parts = {name for name in vars(model.Operation) if not name.startswith("_")}
    assert parts <= set(spans(text))


# --- all three -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_it_points_to_is_there(name: str) -> None:
    text = (TOP / name).read_text(encoding="utf-8")
    files = {each for each in re.findall(r"\]\(([^)]+)\)", text) if "://" not in each}
    headings = {
        "#" + re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in re.findall(r"(?m)^#+ (.*)", text)
    }
    files -= headings
    words = {
        each.split()[0].removeprefix("./") for each in (*spans(text), *"".join(blocks(text, "sh")).splitlines()) if each
    }
    files |= {each for each in words if re.match(r"(?:netlab|steps|tests|scripts|requirements)/[\w./]*$", each)}
    to_be_made = re.compile(r"(?:^|/)[A-Z]+\b")
    assert [each for each in sorted(files) if not to_be_made.search(each) and not (TOP / each).exists()] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_it_names_no_host_and_no_path_of_a_machine(name: str) -> None:
    text = (TOP / name).read_text(encoding="utf-8")
    hosts = set(re.findall(r"https://([^/\s)]+)", text))
    assert hosts <= {"keepachangelog.com", "semver.org"}
    assert re.findall(r"(?<![\w~])/(?:work|tmp|root|home|opt|mnt)\b", text) == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_lines_are_short(name: str) -> None:
    text = (TOP / name).read_text(encoding="utf-8")
    prose = re.sub(r"(?ms)^```.*?^```$|^\|.*?$", "", text)
    assert [line for line in prose.splitlines() if len(line) > 120] == []


def test_the_changelog_knows_this_version() -> None:
    assert re.search(
        rf"(?m)^Will be {re.escape(netlab.__version__)}\b|^## \[{re.escape(netlab.__version__)}\]", CHANGELOG
    )


def test_the_name_of_the_distribution_is_said() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"`{project['name']}`" in section(README, "Installing as a package")
    assert f"Python {project['requires-python'].removeprefix('>=')} or later" in README
