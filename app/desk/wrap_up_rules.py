"""The desk's rules: which codes and reasons fit a call, how a reason's path is told. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

TREE_DEPTH_MAX = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonNode:
    """A node of the reason tree in force."""

    reason_id: str
    parent_id: str | None
    display_name: str
    ordinal: int = 0


def reason_paths(nodes: Iterable[ReasonNode]) -> list[tuple[str, list[str]]]:
    """Return the leaves of the tree with their names from the root, in the tree's own order.

    >>> tree = [ReasonNode(reason_id="bill", parent_id=None, display_name="Billing"),
    ...     ReasonNode(reason_id="refund", parent_id="bill", display_name="Refund")]
    >>> reason_paths(tree)
    [('refund', ['Billing', 'Refund'])]
    """
    by_id = {node.reason_id: node for node in nodes}
    parents = {node.parent_id for node in by_id.values()}
    found: list[tuple[list[tuple[int, str]], str, list[str]]] = []
    for node in by_id.values():
        if node.reason_id in parents:
            continue
        line = _line(node, by_id)
        order = [(each.ordinal, each.reason_id) for each in line]
        found.append((order, node.reason_id, [each.display_name or each.reason_id for each in line]))
    return [(reason_id, path) for _, reason_id, path in sorted(found)]


def _line(node: ReasonNode, by_id: Mapping[str, ReasonNode]) -> list[ReasonNode]:
    """From the root down to *node*; a tree that bites its tail is cut."""
    line = [node]
    while (parent := by_id.get(line[-1].parent_id or "")) is not None and len(line) < TREE_DEPTH_MAX:
        line.append(parent)
    return line[::-1]


def misfit(code: str | None, allowed: Sequence[str], *, finish: bool) -> str | None:
    """Return why a wrap-up code does not fit, as an error id; None when it does.

    Args:
        allowed: The codes of the call's queue; none: the queue asks for no code.

    >>> misfit(None, ["sold"], finish=True)
    'wrap_up_code_needed'
    >>> misfit("refund", ["sold"], finish=False)
    'wrap_up_code_of_another_queue'
    >>> misfit("sold", ["sold"], finish=True) is misfit(None, [], finish=True) is None
    True
    """
    if code is None:
        return "wrap_up_code_needed" if finish and allowed else None
    return None if code in allowed else "wrap_up_code_of_another_queue"
