"""datatrove's own blocks, named in the YAML and run unchanged, with an account of what they drop and change.

A block is a class of datatrove or of the user, by its dotted name. What goes in and does not come out was dropped, and
the ledger has a row for it with the filter's own reason; what comes out with another text was changed. A block must be
a function of the document before it: one that draws at random, or that looks at the documents beside it, gives another
corpus for another division into tasks.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, Protocol

from pydantic import Field

from licensing.errors import HerkomstError
from licensing.settings import Section


class BlockSettings(Section):
    """One block: its class, how it is made, and after which step of curation it comes."""

    block: str = Field(pattern=r"^[A-Za-z_][\w.]*\.[A-Za-z_]\w*$")
    """Dotted name of the class, such as ``datatrove.pipeline.filters.URLFilter``."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Arguments of the class."""
    after: Literal["read", "language", "quality", "harm", "contamination", "personal-data"] = "quality"
    """The step that it follows; blocks after the same step run in the order of the list."""


class Account(Protocol):
    """What curation knows of the documents that pass a block: which take part, and what becomes of them."""

    def takes_part(self, document: Any) -> bool:
        """Whether the block is to see the document."""

    def shown(self, document: Any) -> dict[str, Any]:
        """The metadata that the block sees and may change; the account's own stays out of its reach."""

    def dropped(self, document: Any, reason: str) -> None:
        """The block dropped it."""

    def changed(self, document: Any, before: str) -> None:
        """The block changed its text."""


def made(name: str, options: Mapping[str, Any], where: str) -> Any:
    """Make a block; ``where`` is the key of the configuration, for messages.

    Raises:
        HerkomstError: there is no such class, it takes other arguments, or it is no step of a pipeline.
    """
    module, _, attribute = name.rpartition(".")
    try:
        kind = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as fault:
        raise HerkomstError(
            f"{where}: there is no class {name} ({fault}); nothing was read. Correct it, or install what it needs."
        ) from fault
    try:
        block = kind(**options)
    except Exception as fault:  # of a class that is not ours, anything may come
        raise HerkomstError(
            f"{where}: {name} cannot be made of these options ({type(fault).__name__}: {fault}); nothing was read. "
            "Correct its options, or install what it needs."
        ) from fault
    if not hasattr(block, "run"):
        raise HerkomstError(f"{where}: {name} has no method run(data, rank, world_size), so it is no datatrove block.")
    return block


def passed(block: Any, documents: Iterable[Any], rank: int, world_size: int, account: Account) -> Iterator[Any]:
    """Yield every document that came, those that took no part and those that were dropped among them.

    Of what the block does to a document only the text counts: its metadata are a copy made for the block.

    Raises:
        HerkomstError: the block gives out a document that never went in, or raises something.
    """
    reasons = _Reasons()
    if hasattr(block, "exclusion_writer"):
        block.exclusion_writer = reasons
    inside: dict[str, tuple[Any, str, dict[str, Any]]] = {}
    beside: list[Any] = []

    arriving = _Arriving(documents)

    def feed() -> Iterator[Any]:
        for document in arriving:
            if account.takes_part(document):
                inside[document.id] = document, document.text, document.metadata
                document.metadata = account.shown(document)
                yield document
            else:
                beside.append(document)

    source = feed()
    for out in _run(block, source, rank, world_size, arriving):
        if out.id not in inside:
            raise HerkomstError(
                f"{type(block).__name__} gave out a document '{out.id}' that never went in; what it is made of could "
                "not be told, so it cannot be used. Leave this block out."
            )
        document, before, metadata = inside.pop(out.id)
        document.text, document.metadata = out.text, metadata
        if out.text != before:
            account.changed(document, before)
        yield document
        while beside:
            yield beside.pop()
    # A block may stop before it has asked for all: what it did not look at was dropped as well.
    for _ in source:
        pass
    for name, (document, before, metadata) in inside.items():
        document.text, document.metadata = before, metadata
        account.dropped(document, reasons.of.get(name, "dropped"))
        yield document
    yield from beside


class _Arriving:
    """The documents on their way to a block; remembers that it was they who failed, and not the block."""

    def __init__(self, documents: Iterable[Any]) -> None:
        self._documents = documents
        self.failed = False

    def __iter__(self) -> Iterator[Any]:
        try:
            yield from self._documents
        except Exception:
            self.failed = True
            raise


def _run(block: Any, source: Iterator[Any], rank: int, world_size: int, arriving: _Arriving) -> Iterator[Any]:
    try:
        yield from block.run(source, rank, world_size)
    except Exception as fault:
        if arriving.failed or isinstance(fault, HerkomstError):
            raise
        raise HerkomstError(
            f"block {type(block).__name__} failed with {type(fault).__name__}: {fault}. What other tasks made is kept; "
            "mend the block or its options, or leave it out."
        ) from fault


class _Reasons:
    """Stands where a filter would have its writer of excluded documents, and keeps why each was excluded."""

    def __init__(self) -> None:
        self.of: dict[str, str] = {}

    def __enter__(self) -> _Reasons:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def write(self, document: Any, rank: int) -> None:
        self.of[document.id] = str(document.metadata.pop("filter_reason", "dropped"))
