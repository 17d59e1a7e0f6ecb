"""Cards as two versions of ip show them, and what of that is masked."""

from pathlib import Path

import pytest

from netlab.snapshot.links import Link, links, other_ends

DATA = Path(__file__).parents[1] / "data"
UP = "<BROADCAST,MULTICAST,UP> mtu 1500 qdisc noqueue"
ETHER = "mode DEFAULT group default qlen 1000 link/ether * brd ff:ff:ff:ff:ff:ff"


def read(text: str, sysfs: str = "") -> Link:
    [link] = links(text, sysfs)
    return link


@pytest.mark.parametrize("tools", ["el7", "debian12"])
def test_the_whole_tutorial(tools: str) -> None:
    found = links((DATA / tools / "link-details.txt").read_text(), "")
    assert {link.name: link.words for link in found} == {
        "lo": "<LOOPBACK,UP> mtu 65536 qdisc noqueue mode DEFAULT group default qlen 1000"
        " link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00",
        "ens33": f"veth {UP} {ETHER}",
        "veth1": f"veth {UP} master br0 {ETHER}",
        "veth2": f"veth {UP} master br0 {ETHER}",
        "br0": f"bridge {UP} {ETHER}",
    }
    [bridge] = [link for link in found if link.kind == "bridge"]
    [port] = [link for link in found if link.name == "veth1"]
    assert "ageing_time 30000 stp_state 0" in bridge.details
    assert "bridge_id 8000.* designated_root 8000.* group_fwd_mask 0" in bridge.details
    assert "bridge_slave priority 32 cost 2 hairpin off" in port.details
    assert not {"timer", "promiscuity", "0x8001", "port_no", "forwarding"} & set(port.details.split())


CARD = (
    r"4: veth1@if3: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue master br0 state UP mode DEFAULT group"
    r" default qlen 1000\    link/ether 8e:4f:8c:5a:46:a0 brd ff:ff:ff:ff:ff:ff link-netnsid 1 promiscuity 1 "
    r"\    veth \    bridge_slave state forwarding priority 32 cost 2 hairpin off port_id 0x8001"
    r" port_no 0x1 designated_port 32769 designated_cost 0"
    r" designated_bridge 8000.2a:60:2b:12:5d:61 designated_root 8000.2a:60:2b:12:5d:61"
    r" hold_timer    0.00 message_age_timer    0.00 forward_delay_timer   13.46 topology_change_ack 0"
    r" config_pending 0 mcast_router 1 addrgenmode eui64 numtxqueues 2"
)

BY_ITSELF = {
    "its index": ("4: ", "9: "),
    "the other end's index": ("@if3", "@if8"),
    "the namespace's id": ("link-netnsid 1", "link-netnsid 7"),
    "the carrier": ("UP,LOWER_UP>", "UP,M-DOWN,NO-CARRIER>"),
    "the carrier in words": ("state UP", "state LOWERLAYERDOWN"),
    "a random MAC address": ("8e:4f:8c:5a:46:a0", "2a:60:2b:12:5d:61"),
    "the bridge's MAC address": ("8000.2a:60:2b:12:5d:61", "8000.8e:4f:8c:5a:46:a0"),
    "a timer": ("forward_delay_timer   13.46", "forward_delay_timer    0.00"),
    "the spanning tree": ("state forwarding", "state learning"),
    "the port's number": ("port_id 0x8001 port_no 0x1", "port_id 0x8003 port_no 0x3"),
    "who listens": ("promiscuity 1", "promiscuity 2"),
}

BY_SOMEBODY = {
    "taken down": ("UP,LOWER_UP>", "LOWER_UP>"),
    "a flag": ("BROADCAST,", "BROADCAST,NOARP,"),
    "mtu": ("mtu 1500", "mtu 1400"),
    "another bridge": ("master br0", "master br9"),
    "no bridge": ("master br0 ", ""),
    "the group": ("group default", "group 7"),
    "the queue": ("qdisc noqueue", "qdisc fq_codel"),
    "an alias": ("numtxqueues 2", r"numtxqueues 2 \    alias state of things"),
    "a MAC address with a maker": ("8e:4f:8c:5a:46:a0", "8c:4f:8c:5a:46:a0"),
    "a port's cost": ("cost 2", "cost 3"),
    "a port's flag": ("hairpin off", "hairpin on"),
    "the bridge's priority": ("designated_bridge 8000.", "designated_bridge 7000."),
    "another kind": (r"\    veth \  ", r"\    macvlan mode bridge \  "),
    "its name": ("veth1@", "veth3@"),
}


def form(text: str) -> tuple[str, str, str]:
    link = read(text)
    return link.name, link.words, link.details


@pytest.mark.parametrize(("was", "now"), BY_ITSELF.values(), ids=BY_ITSELF)
def test_masked(was: str, now: str) -> None:
    assert was in CARD
    assert form(CARD.replace(was, now)) == form(CARD)


@pytest.mark.parametrize(("was", "now"), BY_SOMEBODY.values(), ids=BY_SOMEBODY)
def test_not_masked(was: str, now: str) -> None:
    assert was in CARD
    assert form(CARD.replace(was, now)) != form(CARD)


def test_the_queue_of_a_card_that_is_down_says_only_whether_it_was_ever_up() -> None:
    down = CARD.replace("UP,LOWER_UP>", "MULTICAST>")
    assert form(down) == form(down.replace("qdisc noqueue", "qdisc noop"))


def test_an_alias_is_taken_whole() -> None:
    assert read(CARD + r" \    alias state UP \ promiscuity 3 x").words.endswith(r"alias state UP \ promiscuity 3 x")


ADDRESS = "8e:4f:8c:5a:46:a0"
SYSFS = "/sys/class/net/veth1/address:{}\n/sys/class/net/veth1/addr_assign_type:{}\n"


@pytest.mark.parametrize(
    ("sysfs", "shown"),
    [
        (SYSFS.format(ADDRESS, 3), ADDRESS),  # set by a person
        (SYSFS.format(ADDRESS, 0), ADDRESS),
        (SYSFS.format(ADDRESS, 1), "*"),
        (SYSFS.format(ADDRESS, 2), "*"),
        (SYSFS.format("02:00:00:00:00:01", 3), "*"),  # another namespace's sysfs: not believed
        ("", "*"),
    ],
)
def test_who_chose_the_mac_address(sysfs: str, shown: str) -> None:
    assert f"link/ether {shown} " in read(CARD, sysfs).words


def test_no_kind_is_made_up_for_a_real_card() -> None:
    real = (
        r"2: enp0s3: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc fq_codel state UP mode DEFAULT group default"
        r" qlen 1000\    link/ether 08:00:27:11:22:33 brd ff:ff:ff:ff:ff:ff promiscuity 0 allmulti 0 minmtu 46 "
        r"\    vf 0 x\    altname eno1"
    )
    assert read(real).kind == ""
    assert read(real).words.startswith("<BROADCAST,MULTICAST,UP> mtu 1500 qdisc fq_codel mode")
    assert "08:00:27:11:22:33" in read(real).words
    assert read(real).details == "minmtu 46 vf 0 x altname eno1"


def card(index: int, name: str, other: str, netns: str) -> Link:
    said = f" link-netnsid {netns[1:]}" if netns.startswith("#") else f" link-netns {netns}" if netns else ""
    return read(
        f"{index}: {name}@{other}: <UP> mtu 1 \\    link/ether 8e:4f:8c:5a:46:a0{said} promiscuity 0 \\    veth x"
    )


ENDS = {
    "by name": ([card(4, "veth1", "if2", "c1")], {"c1": [card(2, "eth1", "if4", "#0")]}, "@eth1 in c1"),
    "by number": ([card(4, "veth1", "if2", "#1")], {"c1": [card(2, "eth1", "if4", "#0")]}, "@eth1 in c1"),
    "in a namespace without a name": ([card(4, "veth1", "if2", "#9")], {}, "@elsewhere"),
    "in one that was not read": ([card(4, "veth1", "if2", "c2")], {}, "@elsewhere"),
}


@pytest.mark.parametrize(("host", "others", "end"), ENDS.values(), ids=ENDS)
def test_other_ends(host: list[Link], others: dict[str, list[Link]], end: str) -> None:
    ends = other_ends({"host": host, **others}, {"c1": "c1", "#1": "c1"}, "host")
    assert ends["host", "veth1"] == end
    assert ends.get(("c1", "eth1"), "@veth1 in host") == "@veth1 in host"


def test_other_ends_are_never_guessed_by_index() -> None:
    stacks = {"host": [], "c1": [card(2, "eth1", "if2", "#0")], "c2": [card(2, "eth2", "if2", "#0")]}
    assert set(other_ends(stacks, {"c1": "c1", "c2": "c2"}, "host").values()) == {"@elsewhere"}


def test_an_end_in_the_same_namespace_is_no_other_end() -> None:
    assert other_ends({"host": [card(4, "veth1", "veth2", "")]}, {}, "host") == {}
