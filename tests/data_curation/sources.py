"""What tests of readers share: read a source that is written as in a configuration."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from data_curation.readers import Source, read
from data_curation.received import Received

SOURCE: TypeAdapter[Source] = TypeAdapter(Source)


def read_all(folder: Path, **keys: Any) -> list[Received]:
    source = SOURCE.validate_python({"name": "bron", "partner": "Partner"} | keys)
    return list(read(source, folder, folder / "cache"))


def problems(documents: list[Received]) -> Counter[str | None]:
    return Counter(document.problem for document in documents)
