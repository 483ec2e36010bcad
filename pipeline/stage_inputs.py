"""The files that the stages read and the keys of the configuration that they depend on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from data_curation.settings import CurationSettings
from licensing.agreement import Agreement, load_agreements
from licensing.canonical import digest_of
from licensing.reading import UnreadableFile
from pipeline.base_model import base_tokenizer_keys
from pipeline.config import SHIPPED, Loaded
from training.settings import TokenizerSettings


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
    return _named(loaded, "quality_rules", loaded.config.curation.quality_rules) or SHIPPED / "quality.yaml"


def curation_settings(loaded: Loaded) -> CurationSettings:
    """The settings of curation, with the files of rules that they name where they were found."""
    settings = loaded.config.curation
    personal, harm = settings.personal_data, settings.harm
    found = {"rules": _named(loaded, "personal_data.rules", personal.rules)}
    lists = {"lists": _named(loaded, "harm.lists", harm.lists)}
    changed = {"personal_data": personal.model_copy(update=found), "harm": harm.model_copy(update=lists)}
    return settings.model_copy(update=changed)


def curation_keys(loaded: Loaded) -> Any:
    """What curation depends on; whether repeats are cut or counted is decided when the corpus is committed."""
    values = dump(loaded.config.curation)
    for kind in ("paragraphs", "runs"):
        ((values["repeats"] or {}).get(kind) or {}).pop("action", None)
    return [values, loaded.config.policy.copies_not_admitted == "admit"]


def curation_files(loaded: Loaded) -> Iterable[Path]:
    """Rules and evaluation sets that curation depends on.

    The key of pseudonyms is none of them: it may be destroyed once all text is in, and a run must still take out what
    is withdrawn later.
    """
    from data_curation.contamination.items import set_files

    settings = curation_settings(loaded)
    rules = [quality_rules(loaded), settings.personal_data.rules or SHIPPED / "personal-data.yaml"]
    lists = [settings.harm.lists or SHIPPED / "harm" / "word-lists.yaml"]
    sets = [path for one in settings.contamination.sets for path in set_files(one, loaded.root)]
    return [*rules, *lists, SHIPPED / "function-words.yaml", *sets]


def _named(loaded: Loaded, key: str, name: Path | None) -> Path | None:
    try:
        return loaded.resolve(name) if name else None
    except UnreadableFile as fault:
        raise UnreadableFile(f"curation.{key}: {fault}") from fault


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
    return [loaded.config.seed, dump(loaded.config.tokenizer), *base_tokenizer_keys(loaded)]


def vocabulary_settings(loaded: Loaded) -> TokenizerSettings:
    """The settings of the tokenizer, with the folder of parallel text that they name where it was found."""
    settings = loaded.config.tokenizer
    if settings.parallel is None or settings.parallel.folder is None:
        return settings
    try:
        found = loaded.resolve(settings.parallel.folder)
    except UnreadableFile as fault:
        raise UnreadableFile(f"tokenizer.parallel.folder: {fault}") from fault
    return settings.model_copy(update={"parallel": settings.parallel.model_copy(update={"folder": found})})


def parallel_files(loaded: Loaded) -> Iterable[Path]:
    """The files of the folder of parallel text, if one is named."""
    from training.parallel_text import language_files

    parallel = vocabulary_settings(loaded).parallel
    return language_files(parallel.folder).values() if parallel and parallel.folder else ()


def dump(section: Any) -> Any:
    """A section of the configuration as plain values."""
    return section.model_dump(mode="json")
