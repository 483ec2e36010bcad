"""The work of the stage ``admit``: every document's rights brought to a decision, and what decided kept beside."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from licensing.errors import HerkomstError
from licensing.files import atomic_folder
from pipeline.config import Loaded
from pipeline.stage import Context
from pipeline.stage_inputs import agreements_of

if TYPE_CHECKING:
    from data_curation.admit import Ground
    from licensing.reservations import AgentTable, Resolver


def admit(context: Context) -> dict[str, Any]:
    """Decide on every document, derived ones by their parents; returns how many had each outcome and reason."""
    from data_curation.admit import Admission, admit_shard
    from data_curation.derived import settle_derived
    from data_curation.shards import shards
    from licensing.reservations import load_agents
    from licensing.table import load_table

    loaded, received = context.loaded, context.run.received
    agents = load_agents(loaded.resolve(loaded.config.policy.ai_agents))
    counts: Counter[str] = Counter()
    paths = shards(received)
    with (
        atomic_folder(context.run.decisions) as out,
        atomic_folder(context.run.rights) as rights,
        context.meter("admit", "shards", len(paths)) as meter,
    ):
        admission = Admission(
            use=loaded.config.intended_use,
            policy=loaded.config.policy,
            table=load_table(loaded.resolve(loaded.config.policy.table)),
            agreements=agreements_of(loaded),
            grounds=_grounds(loaded, agents, rights / "evidence", context.partial / "sites"),
            agents=agents,
        )
        for path in paths:
            target = out / path.relative_to(received)
            target.parent.mkdir(exist_ok=True)
            counts += admit_shard(path, path.parent / "clashing-native-ids.npy", target, admission)
            meter.advance()
        counts.update(settle_derived(received, out, admission.policy, admission.table))
        _keep_rights(loaded, rights)
    # A release is held against it: these decisions are good for this use and no other.
    use = loaded.config.intended_use.model_dump(mode="json")
    return {"counts": dict(sorted((+counts).items())), "intended_use": use}


def _grounds(loaded: Loaded, agents: AgentTable, evidence: Path, sites: Path) -> dict[str, Ground]:
    """What each source rests on, and the stored answers by which its reservations are judged.

    A web archive holds what its sites told crawlers on the day of the crawl; a folder that the configuration names for
    a source takes its place.
    """
    from data_curation.admit import Ground
    from data_curation.readers.base import resolved
    from data_curation.readers.warc import WarcSource
    from data_curation.readers.warc_sites import write_site_snapshots
    from licensing.reservations import Resolver

    policy = loaded.config.policy

    def resolver(source: Any) -> Resolver | None:
        folder = resolved(loaded.root, source.reservations) if source.reservations else None
        if folder is None and isinstance(source, WarcSource):
            folder = sites / source.name
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            write_site_snapshots(source, loaded.root, folder)
        if folder is None and source.basis != "dsm-art-4":
            return None
        return Resolver(folder, agents, policy.as_of, evidence)

    return {
        source.name: Ground(source.basis, source.basis_evidence, resolver(source)) for source in loaded.config.sources
    }


def _keep_rights(loaded: Loaded, folder: Path) -> None:
    """Put the very texts that decided beside the decisions: what a contract says next year decided nothing today.

    ``evidence/`` holds the publishers' answers that reservations rest on, each under its SHA-256.
    """
    policy = loaded.config.policy
    (folder / "agreements").mkdir()
    shutil.copyfile(loaded.resolve(policy.table), folder / "licences.yaml")
    shutil.copyfile(loaded.resolve(policy.ai_agents), folder / "ai-agents.yaml")
    for name in policy.agreements:
        path = loaded.resolve(name)
        kept = folder / "agreements" / path.name
        if kept.exists():
            raise HerkomstError(
                f"policy.agreements: two files are named {path.name}, so one would take the other's place in the run's "
                "evidence; nothing was decided. Give one of them another name."
            )
        shutil.copyfile(path, kept)
