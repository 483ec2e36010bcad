"""The files that the stages read and the keys of the configuration that they depend on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from licensing.agreement import Agreement, load_agreements
from licensing.canonical import digest_of
from pipeline.config import Loaded


def agreements_of(loaded: Loaded) -> dict[str, Agreement]:
    """The agreements that the policy names, by id."""
    return load_agreements(loaded.resolve(name) for name in loaded.config.policy.agreements)


def policy_files(loaded: Loaded) -> Iterable[Path]:
    """The licence table and the agreements."""
    policy = loaded.config.policy
    return [loaded.resolve(policy.table), *(loaded.resolve(name) for name in policy.agreements)]


def source_files(loaded: Loaded) -> Iterable[Path]:
    """Every local file that is read for documents."""
    from data_curation.readers import inputs

    return [path for source in loaded.config.sources for path in inputs(source, loaded.root)]


def _snapshot_files(loaded: Loaded) -> list[tuple[str, Path]]:
    """Every stored answer that reservations are judged by, with its name below the folder that its source names."""
    from data_curation.readers import snapshot_files
    from data_curation.readers.base import resolved

    return [
        (f"{source.name}/{path.relative_to(resolved(loaded.root, source.reservations)).as_posix()}", path)
        for source in loaded.config.sources
        if source.reservations is not None
        for path in snapshot_files(source, loaded.root)
    ]


def rights_files(loaded: Loaded) -> Iterable[Path]:
    """All that decides on rights: table, agreements, AI agents, and the publishers' stored answers."""
    agents = loaded.resolve(loaded.config.policy.ai_agents)
    return [*policy_files(loaded), agents, *(path for _, path in _snapshot_files(loaded))]


def quality_rules(loaded: Loaded) -> Path:
    """The file of quality rules."""
    return loaded.resolve(loaded.config.curation.quality_rules or "quality.yaml")


def curation_files(loaded: Loaded) -> Iterable[Path]:
    """Rules and evaluation sets that curation depends on."""
    from data_curation.contamination.items import set_files

    settings = loaded.config.curation
    rules = [quality_rules(loaded), loaded.resolve(settings.personal_data.rules or "personal-data.yaml")]
    rules += [loaded.resolve(settings.harm.lists or "harm/word-lists.yaml")]
    key = settings.personal_data.key_file
    sets = [path for one in settings.contamination.sets for path in set_files(one, loaded.root)]
    return [*rules, loaded.resolve("function-words.yaml"), *([loaded.resolve(key)] if key else []), *sets]


_GROUND_KEYS = ("basis", "basis_evidence", "reservations")


def plain_sources(loaded: Loaded) -> Any:
    """What reading depends on; what a source rests on is decided later and does not make its reading stale."""
    return [source.model_dump(mode="json", exclude=set(_GROUND_KEYS)) for source in loaded.config.sources]


def ground_settings(loaded: Loaded) -> Any:
    """What the sources rest on, and the names of the stored answers: their folders carry host and day."""
    keys = [[source.name, *(getattr(source, key) for key in _GROUND_KEYS)] for source in loaded.config.sources]
    return [keys, digest_of([name for name, _ in _snapshot_files(loaded)])]


def tokenizer_settings(loaded: Loaded) -> Any:
    """What a vocabulary depends on besides the corpus."""
    return [loaded.config.seed, dump(loaded.config.tokenizer)]


def dump(section: Any) -> Any:
    """A section of the configuration as plain values."""
    return section.model_dump(mode="json")
