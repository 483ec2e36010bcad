"""Read a dataset of the Hugging Face hub, or a folder in the same form, through the ``datasets`` library, streaming.

A revision must be named as a commit hash: a branch can change under a run, and the run would then no longer be a
function of its configuration. The received bytes of a document are the canonical JSON of its mapped columns.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from data_curation.readers.base import SourceBase, SourceError, resolved
from data_curation.readers.columns import Columns
from data_curation.readers.folder import Found
from data_curation.readers.table import require_columns, row_document
from data_curation.received import Received
from licensing.expression import canonical
from licensing.resolvers import croissant
from licensing.resolvers.folder import FolderLicences
from licensing.resolvers.hub_card import Card
from licensing.resolvers.hub_card import read as read_card
from licensing.rights import Declared

_CARD = "README.md"
_CROISSANT = "croissant.json"


class HubSource(SourceBase):
    """Keys: ``dataset`` (``OWNER/NAME``, or a folder as ``./NAME``), ``subset``, ``split``, ``revision``, ``columns``.

    ``revision`` is the commit hash of the dataset; a folder has none. A card that lists several licences does not say
    whether all of them apply or one may be chosen: ``card_licences: any`` states that it is a choice (Wikipedia's terms
    of use, section 7), and is recorded as your statement.
    """

    reader: Literal["hub"]
    dataset: str = Field(min_length=1)
    subset: str | None = None
    split: str = "train"
    revision: str | None = Field(default=None, pattern=r"^[0-9a-f]{40}$")
    columns: Columns
    card_licences: Literal["all", "any"] = "all"

    @property
    def is_folder(self) -> bool:
        """Whether ``dataset`` names a local folder."""
        return re.match(r"(\.{1,2}|~)?/", self.dataset) is not None

    @model_validator(mode="after")
    def _is_pinned(self) -> HubSource:
        if not self.is_folder and self.revision is None:
            raise ValueError(f"revision: the commit hash of {self.dataset} is needed, for a branch can change")
        if self.is_folder and self.revision is not None:
            raise ValueError("revision: a local folder has none; leave the key out")
        return self

    def cut_between(self) -> Literal["files", "folders", "nothing"]:
        """One slice: which part of it stands where is known to its reader alone."""
        return "nothing"


def read_hub(source: HubSource, root: Path, cache: Path) -> Iterator[Received]:
    """Yield one document a row, in the order of the dataset; ids of rows without one are ``SPLIT:ROW``.

    Raises:
        SourceError: the hub or the dataset cannot be reached, or a column is missing.
    """
    declared = _declared(source, root)
    rows = _rows(source, root, cache)
    first = next(rows, None)
    if first is None:
        raise SourceError(f"source {source.name}: split {source.split} of {source.dataset} is empty. Correct split.")
    require_columns(source, source.columns, list(first), f"{source.dataset}, split {source.split},")
    for number, row in enumerate(chain([first], rows), start=1):
        document = row_document(source, source.columns, row, f"{source.split}:{number}")
        document.declared = (*document.declared, *declared)
        yield document


def hub_files(source: HubSource, root: Path) -> list[Found]:
    """The files of a local folder; none for a dataset of the hub, which its revision pins."""
    if not source.is_folder:
        return []
    folder = resolved(root, source.dataset)
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [Found(path.relative_to(folder).as_posix(), path) for path in paths]


def _rows(source: HubSource, root: Path, cache: Path) -> Iterator[dict[str, Any]]:
    from datasets import load_dataset

    name = str(resolved(root, source.dataset)) if source.is_folder else source.dataset
    try:
        yield from load_dataset(
            name,
            source.subset,
            split=source.split,
            revision=source.revision,
            streaming=True,
            cache_dir=str(cache / "hub"),
        )
    except SourceError:
        raise
    except Exception as fault:
        raise _explained(source, fault) from fault


def _explained(source: HubSource, fault: Exception) -> SourceError:
    """One sentence for the many exceptions of the library; their texts name hosts and are left out."""
    lost = isinstance(fault, ConnectionError | TimeoutError) or any(
        word in type(fault).__name__ for word in ("Offline", "Connect", "NotFound", "HTTP", "Hub", "Http", "Timeout")
    )
    if lost and not source.is_folder:
        return SourceError(
            f"source {source.name}: the hub was not reachable, or has no dataset {source.dataset} at revision "
            f"{source.revision} ({type(fault).__name__}); nothing of it was read. Check the network and "
            "HF_HUB_OFFLINE, the name and the revision, or download it and name the folder (dataset: ./FOLDER)."
        )
    return SourceError(
        f"source {source.name}: {source.dataset} cannot be read as a dataset ({type(fault).__name__}"
        f"{': ' + str(fault).splitlines()[0][:200] if source.is_folder and str(fault) else ''}); nothing more of it is "
        "read. Check subset, split and the files."
    )


def _declared(source: HubSource, root: Path) -> tuple[Declared, ...]:
    """What the card says, and in a local folder its licence files and its ``croissant.json`` as well."""
    text = _card(source, root)
    card = read_card(text) if text is not None else Card((), ())
    found = (*_choice(source, card.licences), *card.terms)
    if not source.is_folder:
        return found
    folder = resolved(root, source.dataset)
    return tuple(dict.fromkeys((*found, *FolderLicences(folder).declared(_CARD), *_croissant(folder / _CROISSANT))))


def _card(source: HubSource, root: Path) -> str | None:
    """The text of the card. One that cannot be had declares nothing, which a decision refuses."""
    from huggingface_hub import hf_hub_download

    try:
        path = (
            resolved(root, source.dataset) / _CARD
            if source.is_folder
            else Path(hf_hub_download(source.dataset, _CARD, repo_type="dataset", revision=source.revision))
        )
        return path.read_bytes().decode("utf-8", "replace")
    except Exception:
        return None


def _choice(source: HubSource, listed: tuple[Declared, ...]) -> tuple[Declared, ...]:
    if source.card_licences == "all" or len(listed) < 2:
        return listed
    # A name that is not SPDX stays an alternative of its own, which nobody can choose.
    names = [one.text if one.form == "spdx" else _reference(one.text) for one in listed]
    where = f"{listed[0].where}; read as a choice by the config: source {source.name}, key card_licences"
    choice = " OR ".join(f"({name})" for name in names)
    return (Declared(canonical(choice) or choice, where, "spdx"),)


def _reference(text: str) -> str:
    return "LicenseRef-" + (re.sub(r"[^A-Za-z0-9.-]+", "-", text).strip("-") or "unnamed")


def _croissant(path: Path) -> tuple[Declared, ...]:
    if not path.is_file():
        return ()
    return croissant.declared(path.read_bytes().decode("utf-8", "replace"), path.name)
