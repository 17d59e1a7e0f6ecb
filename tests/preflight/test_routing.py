"""Policy routing: which rules come before the main table."""

import pytest

from tests.preflight.place import Place

BEFORE = {
    # what a VPN (wg-quick) types: the main table is asked first for all but the default route
    "a VPN": (
        "32764:\tfrom all lookup main suppress_prefixlength 0 \n32765:\tnot from all fwmark 0xca6c lookup 51820 \n",
        "",
        0,
    ),
    "a VRF": ("1000:\tfrom all lookup [l3mdev-table] \n", "", 0),
    "another table": ("220:\tfrom all lookup 220 \n", "220: from all lookup 220", 219),
    "the cure": ("219:\tfrom all to 172.168.1.0/24 lookup main \n220:\tfrom all lookup 220 \n", "", 0),
    "another network's cure": (
        "219:\tfrom all to 172.168.0.0/24 lookup main \n220:\tfrom all lookup 220 \n",
        "219: from all to 172.168.0.0/24 lookup main, 220: from all lookup 220",
        218,
    ),
    "of one source": ("9:\tfrom 10.0.0.1 lookup 9 \n", "9: from 10.0.0.1 lookup 9", 8),
}


@pytest.mark.parametrize(("rules", "named", "priority"), BEFORE.values(), ids=BEFORE)
def test_before_the_main_table(place: Place, rules: str, named: str, priority: int) -> None:
    local, rest = place.policies.split("\n", 1)
    place.policies = f"{local}\n{rules}{rest}"
    [(level, detail, cure)] = place.found("policy routing")
    if not named:
        assert (level, detail, cure) == ("ok", "the main table is asked first for 172.168.1.0/24", "")
        return
    assert level == "warning"
    assert detail.endswith(f"may send 172.168.1.0/24 another way: {named}")
    assert cure == f"ip rule add to 172.168.1.0/24 lookup main priority {priority}"
