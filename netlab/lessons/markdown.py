"""Markdown → prose as values. The only importer of markdown-it."""

from __future__ import annotations

from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from netlab.prose import Block, Fence, Heading, Listing, Paragraph, Prose, Quote, Spans


def prose(text: str) -> Prose:
    """The blocks of a text in CommonMark. What prose has no value for (HTML, tables) is shown as it was written."""
    tree = SyntaxTreeNode(MarkdownIt("commonmark").parse(text))
    return _blocks(tree.children, text.splitlines())


def _blocks(nodes: Sequence[SyntaxTreeNode], source: Sequence[str]) -> Prose:
    return tuple(_block(node, source) for node in nodes)


def _block(node: SyntaxTreeNode, source: Sequence[str]) -> Block:
    begin, end = node.map or (0, 0)
    line = begin + 1
    match node.type:
        case "heading":
            return Heading(int(node.tag[1:]), _inline(node), line)
        case "paragraph":
            return Paragraph(_inline(node), line)
        case "fence" | "code_block":
            return Fence((node.info.split() or [""])[0], node.content, line)
        case "bullet_list" | "ordered_list":
            items = tuple(_blocks(item.children, source) for item in node.children)
            return Listing(node.type == "ordered_list", items, line)
        case "blockquote":
            return Quote(_blocks(node.children, source), line)
        case _:
            return Paragraph(((" ".join(source[begin:end]), ""),), line)


def _inline(node: SyntaxTreeNode) -> Spans:
    """The words of a paragraph. A line break of the source is a blank, but not between two Chinese characters."""
    parts = [part for inline in node.children for part in _spans(inline.children, "")]
    spans = list[tuple[str, str]]()
    for number, (text, kind) in enumerate(parts):
        if kind == "break":
            before = spans[-1][0][-1:] if spans else ""
            after = parts[number + 1][0][:1] if number + 1 < len(parts) else ""
            text, kind = (" " if before.isascii() or after.isascii() else ""), ""
        if spans and spans[-1][1] == kind:
            spans[-1] = (spans[-1][0] + text, kind)
        elif text:
            spans.append((text, kind))
    return tuple(spans)


def _spans(nodes: Sequence[SyntaxTreeNode], kind: str) -> Spans:
    found = list[tuple[str, str]]()
    for node in nodes:
        match node.type:
            case "text":
                found.append((node.content, kind))
            case "code_inline":
                found.append((node.content, "code"))
            case "softbreak" | "hardbreak":
                found.append(("\n", "break"))
            case "strong" | "em":
                found.extend(_spans(node.children, node.type))
            case _:  # a link's words, a picture's; HTML as it was written
                found.extend(_spans(node.children, kind) if node.children else ((node.content, kind),))
    return tuple(found)
