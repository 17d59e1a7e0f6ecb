"""Lines: nothing foreign steers the terminal, columns are counted, words are right."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlab.render.lines import Plain, cells, clean, crop, duration, first, is_plain, line, pad, several, spell, widest

ANY_TEXT = st.text(st.characters(codec=None))  # lone surrogates too


@pytest.mark.parametrize(
    ("foreign", "shown"),
    [
        ("eth1", "eth1"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("a\nb\tc\rd", "a\\nb\\tc\\rd"),
        ("\x9b2J", "\\x9b2J"),
        ("\x7f", "\\x7f"),
        ("ab\u202etxt", "ab\\u202etxt"),
        ("\udc9b", "\\udc9b"),
        ("é 容器 [bold]", "é 容器 [bold]"),
    ],
)
def test_clean(foreign: str, shown: str) -> None:
    assert clean(foreign) == shown
    assert line(foreign, (foreign, "red")).text == shown * 2


@given(ANY_TEXT)
def test_clean_leaves_nothing_that_steers(text: str) -> None:
    assert clean(text).isprintable() or not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in clean(text))
    clean(text).encode()  # and nothing that UTF-8 cannot say


@pytest.mark.parametrize(("text", "width"), [("", 0), ("eth1", 4), ("容器", 4), ("é", 1), ("e\u0301", 1), ("✓ ", 2)])
def test_cells(text: str, width: int) -> None:
    assert cells(text) == width
    assert cells(pad(text, 10)) == 10


def test_widest() -> None:
    assert widest([]) == 0
    assert widest(["a", "\x1b", "容"]) == 4


@pytest.mark.parametrize(
    ("width", "shown"),
    [(20, "1 容器 three"), (12, "1 容器 three"), (11, "1 容器 thr…"), (5, "1 容…"), (1, "…"), (0, "")],
)
def test_crop(width: int, shown: str) -> None:
    whole = line(("1 容器", "bold"), " three")
    assert crop(whole, width).text == shown


@given(ANY_TEXT, st.integers(0, 30))
def test_crop_fits(text: str, width: int) -> None:
    assert cells(crop(line(text), width).text) <= width


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0.00 s"), (0.061, "0.06 s"), (9.99, "9.99 s"), (9.999, "10.0 s"), (12.34, "12.3 s"), (59.99, "1 min 00 s"),
     (125, "2 min 05 s")],
)  # fmt: skip
def test_duration(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_several() -> None:
    assert [several(n, "step") for n in (0, 1, 2)] == ["0 steps", "1 step", "2 steps"]


@pytest.mark.parametrize(
    ("many", "everything", "shown", "last"),
    [(10, False, 10, "9"), (11, False, 5, "    … and 7 more"), (200, False, 5, "    … and 196 more"),
     (200, True, 200, "199")],
)  # fmt: skip
def test_first(many: int, everything: bool, shown: int, last: str) -> None:
    kept = first([(line(str(number)),) for number in range(many)], everything=everything)
    assert (len(kept), kept[-1][0].text) == (shown, last)


@pytest.mark.parametrize(
    ("encoding", "environ", "plain"),
    [
        ("utf-8", {}, False),
        ("UTF-8", {"LANG": "en_US.UTF-8"}, False),
        ("ascii", {"LANG": "en_US.UTF-8"}, True),
        ("iso8859-1", {}, True),
        ("utf-8", {"LANG": "C"}, True),
        ("utf-8", {"LANG": "C", "LC_CTYPE": "C.UTF-8"}, True),  # what Python itself makes of LANG=C
        ("utf-8", {"LC_CTYPE": "C.UTF-8"}, False),  # and of no locale at all, as in a container
        ("utf-8", {"LANG": "C", "LC_ALL": "C.UTF-8"}, False),
        ("utf-8", {"LANG": "en_US.UTF-8", "LC_ALL": "POSIX"}, True),
    ],
)
def test_is_plain(encoding: str, environ: dict[str, str], plain: bool) -> None:
    assert is_plain(io.TextIOWrapper(io.BytesIO(), encoding=encoding), environ) is plain


def test_a_stream_gets_only_what_it_can_take() -> None:
    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    assert spell("✓ é — …", ascii_only, plain=True) == "+ \\xe9 - ..."
    assert spell("✓ é", io.StringIO(), plain=False) == "✓ é"
    assert spell("✓ é", io.StringIO(), plain=True) == "+ é"


def test_plain_writes_at_once_and_strips_the_end() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    Plain(stream, plain=True).show([line("✓ a  ", ("b", "red"), " "), line()])
    assert raw.getvalue() == b"+ a  b\n\n"


def test_plain_shows_nothing_for_nothing() -> None:
    out = io.StringIO()
    Plain(out, plain=True).show([])
    assert out.getvalue() == ""
