"""Dotted names in CEL's syntax tree: `author.age` is a field of `author` there, and a variable of ours."""

from __future__ import annotations

from collections.abc import Collection

from google.protobuf.message import Message

from comity.agreement.language import VARIABLES


def dotted_name(node: Message, bound: Collection[str]) -> str | None:
    """`author.age` for a chain of plain names that does not begin with a `bound` one, else None."""
    match node.WhichOneof("expr_kind"):
        case "ident_expr":
            name: str = node.ident_expr.name
            return None if name in bound else name.lstrip(".")
        case "select_expr" if not node.select_expr.test_only:
            owner = dotted_name(node.select_expr.operand, bound)
            return None if owner is None else f"{owner}.{node.select_expr.field}"
        case _:
            return None


def first_name(chain: Message) -> Message:
    """The node with which a chain begins."""
    while chain.WhichOneof("expr_kind") == "select_expr":
        chain = chain.select_expr.operand
    return chain


def has_known_root(name: str) -> bool:
    """Whether the beginning of a dotted name is a variable, as in `meta.key` or `text.size`."""
    names = name.split(".")
    return any(".".join(names[:count]) in VARIABLES for count in range(1, len(names)))
