"""Rules that are the same typed and saved, rules that must not become the same, and what holds for any words."""

from __future__ import annotations

import shlex
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from netlab.rules import canonical, lines, parse_line, words
from netlab.rules.options import MATCHES, PLAIN, TARGETS

# What a person typed, and what iptables-save printed for it (1.8.9, but for the two marked old).
TYPED_AND_SAVED = [
    # names of options
    ("--source 10.0.0.1 --jump DROP", "-s 10.0.0.1/32 -j DROP"),
    ("--src 10.0.0.1 --dst 10.0.0.2", "-s 10.0.0.1/32 -d 10.0.0.2/32"),
    ("--destination=10.0.0.2 --protocol=tcp", "-d 10.0.0.2/32 -p tcp"),
    ("--in-interface eth0 --out-interface eth1 --goto MINE", "-i eth0 -o eth1 -g MINE"),
    ("--proto udp --match udp --source-port 53", "-p udp -m udp --sport 53"),
    ("--fragment -j DROP", "-f -j DROP"),
    ("--set-counters 5 6 -j DROP", "-j DROP"),
    ("-c 5,6 -j DROP", "-j DROP"),
    ("[5:6] -j DROP", "-j DROP"),
    # abbreviations
    ("-j DNAT --to- 172.168.1.11:80", "-j DNAT --to-destination 172.168.1.11:80"),
    ("-j DNAT --to-dest=172.168.1.11 --pers", "-j DNAT --to-destination 172.168.1.11 --persistent"),
    ("-j SNAT --to-s 1.2.3.4", "-j SNAT --to-source 1.2.3.4"),
    ("-j SNAT --to 1.2.3.4 --random-f", "-j SNAT --to-source 1.2.3.4 --random-fully"),
    ("-p tcp -j MASQUERADE --to 1024-2048", "-p tcp -j MASQUERADE --to-ports 1024-2048"),
    ("-p tcp -j REDIRECT --to-p 8080", "-p tcp -j REDIRECT --to-ports 8080"),
    ("-p tcp --dpor 80", "-p tcp -m tcp --dport 80"),
    ("-p tcp --destination-p 80", "-p tcp -m tcp --dport 80"),
    ("-p udp --dest 10.0.0.9 --dport 53", "-p udp -d 10.0.0.9/32 -m udp --dport 53"),
    ("--out eth0 --ju DROP", "-o eth0 -j DROP"),
    # not
    ("! --source 10.0.0.1", "! -s 10.0.0.1/32"),
    ("-s ! 10.0.0.1", "! -s 10.0.0.1/32"),  # old
    ("-p tcp --dport ! 80", "-p tcp -m tcp ! --dport 80"),  # old
    ("-p tcp ! --syn", "-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN"),
    ("! -s 0.0.0.0/0", "! -s 0.0.0.0/0"),
    # addresses
    ("-s 172.168.1.77/24", "-s 172.168.1.0/24"),
    ("-s 172.168.1.0/255.255.255.0", "-s 172.168.1.0/24"),
    ("-s 10/8", "-s 10.0.0.0/8"),
    ("-s 10.1", "-s 10.1.0.0/32"),
    ("-s 10.0.0.1/255.0.0.255", "-s 10.0.0.1/255.0.0.255"),
    ("-s 0.0.0.0/0 -d 0/0 -i + -p all -j DROP", "-j DROP"),
    # protocols, ports, modules that -p implies
    ("-p 6 --dport 80", "-p tcp -m tcp --dport 80"),
    ("-p 1", "-p icmp"),
    ("-p 17", "-p udp"),
    ("-p 33", "-p dccp"),
    ("-p 47", "-p gre"),
    ("-p 50", "-p esp"),
    ("-p 51", "-p ah"),
    ("-p 132", "-p sctp"),
    ("-p TCP -m tcp", "-p tcp"),
    ("-p tcp --dport http", "-p tcp -m tcp --dport 80"),
    ("-p tcp --dport 0x50", "-p tcp -m tcp --dport 80"),
    ("-p tcp --dport :1024 --sport 1024:", "-p tcp -m tcp --sport 1024:65535 --dport 0:1024"),
    ("-p tcp --dport 0:65535", "-p tcp -m tcp"),
    ("-p tcp --dport 80 -m tcp", "-p tcp -m tcp --dport 80 -m tcp"),
    ("-p tcp --dport 80 -m tcp --sport 5", "-p tcp -m tcp --sport 5 --dport 80"),
    ("-p tcp -m comment --comment x --dport 80", "-p tcp -m comment --comment x -m tcp --dport 80"),
    ("-m tcp -p tcp --dport 80", "-p tcp -m tcp --dport 80"),
    ("-p icmp --icmp-type ping", "-p icmp -m icmp --icmp-type 8"),
    ("-p icmp --icmp-type any", "-p icmp -m icmp --icmp-type any"),
    ("-p tcp --syn", "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN"),
    ("-p tcp --tcp-flags ALL NONE", "-p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE"),
    ("-p sctp --dport 80", "-p sctp -m sctp --dport 80"),
    ("-p udp --dport domain", "-p udp -m udp --dport 53"),
    # other modules
    ("-m conntrack --ctstate established,NEW,RELATED", "-m conntrack --ctstate NEW,RELATED,ESTABLISHED"),
    ("-m conntrack --ctstate NEW --ctproto tcp", "-m conntrack --ctstate NEW --ctproto 6"),
    ("-p tcp -m multiport --destination-p http,443,90:90", "-p tcp -m multiport --dports 80,443,90"),
    ("-m addrtype --dst-type local", "-m addrtype --dst-type LOCAL"),
    ("-m mark --mark 1", "-m mark --mark 0x1"),
    ("-m mac --mac-source aa:bb:cc:dd:ee:ff", "-m mac --mac-source AA:BB:CC:DD:EE:FF"),
    ("-m limit --limit 60/minute", "-m limit --limit 1/sec"),
    ("-m limit", "-m limit --limit 3/hour"),
    ("-m string --string=a=b --algo bm", '-m string --string "a=b" --algo bm'),
    # targets
    ("-j REJECT", "-j REJECT --reject-with icmp-port-unreachable"),
    ("-j REJECT --reject-with net-unreach", "-j REJECT --reject-with icmp-net-unreachable"),
    ("-j REJECT --reject-with host-prohib", "-j REJECT --reject-with icmp-host-prohibited"),
    ("-j REJECT --reject-with admin-prohib", "-j REJECT --reject-with icmp-admin-prohibited"),
    ("-p tcp -j REJECT --reject-with tcp-rst", "-p tcp -j REJECT --reject-with tcp-reset"),
    ("-j LOG --log-level warning", "-j LOG"),
    ("-j LOG --log-level info --log-prefix 'hi '", '-j LOG --log-prefix "hi " --log-level 6'),
    ("-j MARK --set-mark 1", "-j MARK --set-xmark 0x1/0xffffffff"),
    ("-p tcp -j DNAT --to 1.2.3.4:80-80", "-p tcp -j DNAT --to-destination 1.2.3.4:80"),
    ("-j SNAT --to 1.2.3.4-1.2.3.4", "-j SNAT --to-source 1.2.3.4"),
    # words
    ('-m comment --comment "a canary, with spaces"', '-m comment --comment "a canary, with spaces"'),
    ("-m comment --comment 'it'\"'\"'s a \"q\" back\\slash'", r'-m comment --comment "it\'s a \"q\" back\\slash"'),
    ("-m comment --comment '!' ! -i eth0", '! -i eth0 -m comment --comment "!"'),
    ("-m comment --comment ''", '-m comment --comment ""'),
    ("-i 'a\"b' -m comment --comment x", '-i a"b -m comment --comment x'),
    # order
    ("-j DROP -p tcp --dport 80 -i eth0 -s 10.0.0.1", "-s 10.0.0.1/32 -i eth0 -p tcp -m tcp --dport 80 -j DROP"),
    ("-m mark --mark 1 -m comment --comment x", "-m comment --comment x -m mark --mark 0x1"),
]

DIFFERENT = [
    ("-s 2.18.0.1/24", "-s 172.18.0.1/24"),
    ("-s 10.0.0.1", "-d 10.0.0.1"),
    ("-s 10.0.0.1", "! -s 10.0.0.1"),
    ("-s 10.0.0.0/8", "-s 10.0.0.0/9"),
    ("-s 10.0.0.0/8", "-s 10.0.0.0/255.0.0.255"),
    ("! -s 0.0.0.0/0", ""),
    ("-i eth", "-i eth+"),
    ("-j MINE", "-g MINE"),
    ("-j DROP", ""),
    ("-p tcp", "-p udp"),
    ("-p tcp", "! -p tcp"),
    ("-p tcp --dport 80", "-p udp --dport 80"),
    ("-p tcp --dport 80", "-p tcp --sport 80"),
    ("-p tcp --dport 80", "-p tcp ! --dport 80"),
    ("-p tcp --dport 80", "-p tcp --dport 8080"),
    ("-p tcp --dport 80 --sport 81", "-p tcp --dport 81 --sport 80"),
    ("-p icmp --icmp-type 8", "-p icmp --icmp-type 8/0"),
    ("-p icmp", "-p icmp --icmp-type 8"),
    ("-p tcp --tcp-flags SYN,ACK SYN", "-p tcp --tcp-flags SYN SYN,ACK"),
    ("-m mark --mark 0x1", "-m mark --mark 0x1/0xff"),
    ("-m mark --mark 1", "-m connmark --mark 1"),
    ("-m comment --comment a", "-m comment --comment A"),
    ("-m comment --comment a", "-m comment --comment 'a '"),
    ("-m comment --comment a", ""),
    ("-m comment --comment a -m comment --comment b", "-m comment --comment a"),
    ("-m multiport --dports 1,2 -m multiport --sports 3", "-m multiport --dports 1,2 --sports 3"),
    ("-p tcp -m tcp --dport 80 -m tcp --dport 81", "-p tcp -m tcp --dport 80"),
    ("-m limit --limit 1/s -m mark --mark 1", "-m mark --mark 1 -m limit --limit 1/s"),
    ("-m foo --x 1 -m bar --x 2", "-m foo --x 2 -m bar --x 1"),
    ("-m foo --x 1 --y 2", "-m foo --y 1 --x 2"),
    ("-m foo --sou 1", "-m foo -s 1"),
    ("-m foo ! --x 1", "-m foo --x 1"),
    ("-j DNAT --to-destination 1.2.3.4:80", "-j DNAT --to-destination 1.2.3.4:81"),
    ("-j DNAT --to-destination 1.2.3.4", "-j SNAT --to-source 1.2.3.4"),
    ("-j MASQUERADE --random", "-j MASQUERADE --random-fully"),
    ("-j MARK --set-mark 0x10/0xf0", "-j MARK --set-mark 0x10/0x10"),
    ("-j REJECT", "-j REJECT --reject-with tcp-reset"),
]


@pytest.mark.parametrize(("typed", "saved"), TYPED_AND_SAVED)
def test_what_was_typed_equals_what_is_saved(typed: str, saved: str) -> None:
    assert canonical(shlex.split(typed)) == canonical(words(saved))


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_rules_stay_different(one: str, other: str) -> None:
    assert canonical(shlex.split(one)) != canonical(shlex.split(other))


def test_the_form_can_be_read_by_people() -> None:
    assert canonical(words("-p tcp --dport 8888 ! -i br0 -j DNAT --to- 172.168.1.11:80")) == (
        ("!", "-i", "br0"),
        ("-p", "tcp"),
        ("-m", "tcp", "--dport", "8888"),
        ("-j", "DNAT", "--to-destination", "172.168.1.11:80"),
    )


# --- lines of iptables-save ------------------------------------------------------------------------------------------


def test_a_line_is_a_rule() -> None:
    line = '-A POSTROUTING -s 10.9.9.0/24 -m comment --comment "a canary, with spaces" -j MASQUERADE'
    rule = parse_line(line)
    assert rule.chain == "POSTROUTING"
    assert rule.text == line
    assert ("-m", "comment", "--comment", "a canary, with spaces") in rule.match


def test_counters_make_no_difference() -> None:
    assert parse_line("[12:3456] -A INPUT -j DROP") == parse_line("-A INPUT -j DROP")


def test_rules_of_two_chains_differ() -> None:
    assert parse_line("-A INPUT -j DROP") != parse_line("-A FORWARD -j DROP")


@pytest.mark.parametrize("line", ["", "COMMIT", ":INPUT ACCEPT [0:0]", "-P INPUT DROP", "-A", "[1:2]", "# -A INPUT"])
def test_another_line_is_no_rule(line: str) -> None:
    with pytest.raises(ValueError, match="not a rule"):
        parse_line(line)


def test_a_comment_may_hold_line_ends_and_hides_no_rule() -> None:
    text = '-A FORWARD -m comment --comment "two\n-A FORWARD -j DROP" -j ACCEPT\n-A FORWARD -j RETURN\n'
    first, second = lines(text)
    assert words(first)[5] == "two\n-A FORWARD -j DROP"
    assert second == "-A FORWARD -j RETURN"


def test_a_quote_in_the_name_of_a_card_opens_nothing() -> None:
    text = '-A FORWARD -i a"b -j ACCEPT\n-A FORWARD -i "c -j ACCEPT\n-A FORWARD -m comment --comment "x y" -j DROP\n'
    assert [words(line)[-1] for line in lines(text)] == ["ACCEPT", "ACCEPT", "DROP"]


# --- any words -------------------------------------------------------------------------------------------------------

VOCABULARY = sorted(
    {*PLAIN, *MATCHES, *TARGETS, *chain.from_iterable([*MATCHES.values(), *TARGETS.values()])}
    | {"!", "-", "--", "--to", "--s", "--d", "-m", "-j", "", "80", "1:2", "1.2.3.4", "0/0", "[1:2]", "FOO", "foo"}
)
ANY_WORDS = st.lists(st.sampled_from(VOCABULARY) | st.text(max_size=8), max_size=16)

PARTS = [
    "-s 10.0.0.0/8", "! -d 10.0.0.1", "-i eth0", "-o eth1", "-p tcp -m tcp --dport 80 --sport 1:2", "-f",
    "-m comment --comment 'x y'", "-m mark --mark 1", "-m conntrack --ctstate NEW", "-m multiport --dports 1,2",
    "-m multiport ! --sports 3", "-j DNAT --to-destination 1.2.3.4 --random",
]  # fmt: skip


@given(ANY_WORDS)
def test_any_words_have_a_form(spec: list[str]) -> None:
    assert canonical(spec) == canonical(list(spec))  # an odd one, it may be: but no crash, and the same each time


@given(st.lists(st.sampled_from(PARTS)))
def test_the_form_is_a_rule_with_the_same_form(parts: list[str]) -> None:
    form = canonical(shlex.split(" ".join(parts)))
    assert canonical(list(chain.from_iterable(form))) == form


@given(st.permutations(PARTS), st.integers(0, len(PARTS)))
def test_the_order_of_parts_makes_no_difference(parts: list[str], cut: int) -> None:
    chosen = parts[:cut]
    assert canonical(shlex.split(" ".join(chosen))) == canonical(shlex.split(" ".join(sorted(chosen))))


@given(st.sets(st.sampled_from(PARTS)), st.sets(st.sampled_from(PARTS)))
def test_other_parts_make_another_rule(one: set[str], other: set[str]) -> None:
    same = canonical(shlex.split(" ".join(one))) == canonical(shlex.split(" ".join(other)))
    assert same == (one == other)


@given(st.lists(st.text(st.characters(exclude_characters="\0"), max_size=12), max_size=5))
def test_words_are_read_as_iptables_save_writes_them(spec: list[str]) -> None:
    escaped = ("".join("\\" + letter if letter in "\"\\'" else letter for letter in word) for word in spec)
    line = " ".join(["-A", "INPUT", *(f'"{word}"' for word in escaped)])
    assert words(line)[2:] == tuple(spec)
    assert list(lines(f"{line}\nCOMMIT\n")) == [line, "COMMIT"]


@given(st.text())
def test_any_text_has_words_and_lines(text: str) -> None:
    words(text)
    list(lines(text))
