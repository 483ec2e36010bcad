"""Dataset cards in JSON-LD (Croissant 1.0, schema.org ``Dataset``): the licence of the data.

``sdLicense`` speaks of the description alone and is never taken for it. ``usageInfo`` and ``conditionsOfAccess`` are
prose: terms beside the licence, which a person reads.
"""

from __future__ import annotations

from typing import Any

from licensing.resolvers.jsonld import Node, load, nodes
from licensing.resolvers.structured import declared_by
from licensing.resolvers.values import PROSE_CHARACTERS, distinct, prose
from licensing.rights import Declared

_TERMS = frozenset(("usageInfo", "conditionsOfAccess"))
_DISTRIBUTION = frozenset(("distribution",))


def declared(text: str, where: str) -> tuple[Declared, ...]:
    """Return what a card declares of its data; a card that is no JSON, or describes no dataset, is prose.

    A licence of a single file (``distribution``) counts beside that of the dataset. Where the dataset has none, those
    of its files count only if every file has one; else they are prose, for the other files have no licence.
    """
    try:
        every = list(nodes(load(text)))
    except ValueError as fault:
        return (prose(f"(no JSON that can be read: {str(fault)[:80]})", f"{where} $"),)
    datasets = [node for node in every if node.is_whole and "Dataset" in node.types()]
    if not datasets:
        return (prose("(describes no dataset)", f"{where} $"),)
    return distinct(found for node in datasets for found in _of_dataset(node, where))


def _of_dataset(dataset: Node, where: str) -> tuple[Declared, ...]:
    own = _licences(dataset, where)
    files = [
        Node(entry, f"{path}[{number}]", False)
        for path, value in dataset.values(_DISTRIBUTION)
        for number, entry in enumerate(value if isinstance(value, list) else [value])
        if isinstance(entry, dict)
    ]
    by_file = [_licences(file, where) for file in files]
    parts = tuple(found for one in by_file for found in one)
    if not own and not all(by_file):
        parts = tuple(prose(f"(of one file only) {found.text}", found.where) for found in parts)
    terms = [(path, value) for node in (dataset, *files) for path, value in node.values(_TERMS)]
    return (*own, *parts, *(prose(_as_text(value), f"{where} {path}") for path, value in terms if value))


def _licences(node: Node, where: str) -> tuple[Declared, ...]:
    return tuple(found for path, value in node.values() for found in declared_by(value, f"{where} {path}"))


def _as_text(value: Any) -> str:
    return "; ".join(found.text for found in declared_by(value, ""))[:PROSE_CHARACTERS] or "(terms that cannot be read)"
