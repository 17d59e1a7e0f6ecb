"""The values of the commands that only look: their JSON shapes, and the graph as a tree."""

from types import SimpleNamespace

import pytest

from netlab import views
from netlab.views import PlanView, SandboxRow, StepNode, StepPlan, StepStatus


def test_json_shapes() -> None:
    plan = PlanView((StepPlan("nat", "Out.", ("iptables -A X",), ("iptables -P FORWARD ACCEPT",), 3),))
    assert views.plan_json(plan) == {
        "steps": [
            {"name": "nat", "commands": ["iptables -A X"], "only_if_missing": ["iptables -P FORWARD ACCEPT"]},
        ]
    }
    assert views.status_json([StepStatus("nat", "Out.", "partial", ("a rule",))]) == {
        "steps": [{"name": "nat", "state": "partial", "missing": ["a rule"]}]
    }
    assert views.steps_json([StepNode("nat", "Out.", ("forwarding",), 1, 2)]) == {
        "steps": [{"name": "nat", "summary": "Out.", "needs": ["forwarding"]}]
    }
    finding = SimpleNamespace(name="ip", level="missing", detail="no ip", cure="apt-get install iproute2")
    assert views.findings_json([finding]) == {
        "findings": [{"name": "ip", "level": "missing", "detail": "no ip", "cure": "apt-get install iproute2"}]
    }
    assert views.sandboxes_json([SandboxRow("one", "alive", "apply", "today", "none")]) == {
        "sandboxes": [{"name": "one", "state": "alive", "made_by": "apply", "since": "today", "steps": "none"}]
    }


def node(name: str, *needs: str) -> StepNode:
    return StepNode(name, "", needs, 1, 1)


CASES = {
    "nothing": ([], []),
    "a chain": ([node("a"), node("b", "a"), node("c", "b")], ["a", "└─ b", "   └─ c"]),
    "two roots": ([node("a"), node("b")], ["a", "b"]),
    "a fork": (
        [node("a"), node("b", "a"), node("c", "b"), node("d", "a")],
        ["a", "├─ b", "│  └─ c", "└─ d"],
    ),
    "two needs: under the last in reading order": (
        [node("a"), node("b", "a"), node("c", "a"), node("d", "c", "b")],
        ["a", "├─ b", "└─ c", "   └─ d +b"],
    ),
    "a need from elsewhere has no branch": ([node("a", "z")], ["a +z"]),
}


@pytest.mark.parametrize("case", CASES)
def test_tree(case: str) -> None:
    nodes, expected = CASES[case]
    rows = views.tree(nodes)
    assert [branch + step.name + "".join(f" +{other}" for other in others) for branch, step, others in rows] == expected


def test_a_long_chain_needs_no_stack() -> None:
    chain = [node("0"), *(node(str(number), str(number - 1)) for number in range(1, 3000))]
    assert len(views.tree(chain)) == 3000
