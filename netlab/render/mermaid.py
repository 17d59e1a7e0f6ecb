"""The lab as a Mermaid graph, for a web page: each stack a subgraph, each card a node, each cable an edge."""

from __future__ import annotations

from collections.abc import Iterator

from netlab.picture import Card, Node, Picture


def mermaid(whole: Picture) -> str:
    """The graph as text that ends with a line's end. Names are given numbers, so that none can mean something to it."""
    return "\n".join(["graph TB", *_Graph(whole).lines()]) + "\n"


class _Graph:
    def __init__(self, whole: Picture) -> None:
        self._whole = whole
        names = [(node.name, card.name) for node in whole.nodes for card in node.cards]
        self._ids = {name: f"c{number}" for number, name in enumerate(names)}

    def lines(self) -> Iterator[str]:
        whole = self._whole
        for number, node in enumerate((*whole.containers, whole.host, *whole.around)):
            yield f'    subgraph n{number}["{_escaped(node.name)}"]'
            yield from (f"        {each}" for each in self._inside(node))
            yield "    end"
        yield from (f"    {each}" for each in self._cables())

    def _inside(self, node: Node) -> Iterator[str]:
        for card in node.cards:
            yield f'{self._ids[node.name, card.name]}["{_lines(_card(card))}"]'
        about = [f"listens on tcp {', '.join(node.ports)}"] if node.ports else []
        about += ["ip_forward = 1"] if node.forwards else []
        about += [str(way) for way in node.ways]
        if node is self._whole.host:
            about += [] if node.forwards else ["ip_forward = 0"]
            yield from self._way_out(node, about)
        elif about:
            yield f'{self._other(node)}(["{_lines(about)}"])'
        for card in node.cards:
            if card.master and (node.name, card.master) in self._ids:
                yield f"{self._ids[node.name, card.name]} --- {self._ids[node.name, card.master]}"

    def _other(self, node: Node) -> str:
        return f"a{self._whole.nodes.index(node)}"

    def _way_out(self, node: Node, about: list[str]) -> Iterator[str]:
        """What decides over a packet, between the bridges that have an address and the uplink."""
        for chain in self._whole.chains:
            about += [f"FORWARD {chain.policy}"] if chain.table == "filter" else []
            about += [f"{chain.name} {rule.short}" for rule in chain.rules]
        yield f'{self._other(node)}{{{{"{_lines(about)}"}}}}'
        uplink = self._whole.uplink()
        for card in node.cards:
            if card.kind == "bridge" and card.up and card.addresses:
                yield f"{self._ids[node.name, card.name]} --- {self._other(node)}"
        if uplink is not None:
            yield f"{self._other(node)} --- {self._ids[node.name, uplink.name]}"

    def _cables(self) -> Iterator[str]:
        drawn = set()
        for node in (*self._whole.containers, self._whole.host, *self._whole.around):
            for card in node.cards:
                far = (card.far.node or "host", card.far.card) if card.far is not None else None
                if far in self._ids and (far, (node.name, card.name)) not in drawn:
                    drawn.add(((node.name, card.name), far))
                    other = self._whole.node(card.far.node if card.far is not None else "")
                    end = other.card(far[1]) if other is not None and far is not None else None
                    wire = "===" if card.up and end is not None and end.up else "-.-"
                    yield f"{self._ids[node.name, card.name]} {wire} {self._ids[far]}"


def _card(card: Card) -> list[str]:
    what = f"{card.name} ({card.kind})" if card.kind not in ("", "veth", "loopback") else card.name
    return [what, *(["down"] if not card.up else []), *card.addresses]


def _lines(words: list[str]) -> str:
    return "<br>".join(_escaped(each) for each in words)


def _escaped(text: str) -> str:
    """Whatever may mean something to Mermaid or HTML as its number."""
    return "".join(each if each.isalnum() or each in " .:/_-=()[]," else f"#{ord(each)};" for each in text)
