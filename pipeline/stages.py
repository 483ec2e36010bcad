"""The nine stages, in order: what each depends on, what it makes, and the work in terms of the rooms below.

The work of ``admit`` stands in `pipeline.stage_admit`, what withdrawals change in `pipeline.stage_withdrawn`, and what
stages read in `pipeline.stage_inputs`.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from licensing.canonical import canonical
from licensing.files import atomic_folder, write_atomically
from pipeline.base_model import base_inputs, base_keys, base_tokenizer, keep_texts, lineage, open_base
from pipeline.run_directory import RunDirectory
from pipeline.stage import Context, Stage
from pipeline.stage_admit import admit
from pipeline.stage_inputs import (
    agreements_of,
    curation_files,
    curation_keys,
    curation_settings,
    dump,
    ground_settings,
    parallel_files,
    plain_sources,
    policy_files,
    quality_rules,
    rights_files,
    source_files,
    tokenizer_settings,
    vocabulary_settings,
)
from pipeline.stage_withdrawn import figures_of_kept_tokenizer, gaps_since_pack, refused_by_withdrawals

if TYPE_CHECKING:
    from data_curation.ingest import SliceTask

# ---- 1 ingest


def _ingest(context: Context) -> dict[str, Any]:
    from data_curation.ingest import join_slices, read_slice
    from data_curation.parallel import run_tasks

    tasks = _slice_tasks(context)
    everything = [task for parts in tasks.values() for task in parts]
    waiting = [task for task in everything if not task.done]
    with context.meter("ingest", "documents") as meter:
        for task, counts in run_tasks(read_slice, waiting, context.workers):
            meter.advance(counts.get("documents", 0), task.source.name)
    out = context.partial / "out"
    shutil.rmtree(out, ignore_errors=True)
    figures = [join_slices([task.folder for task in parts], out / name) for name, parts in tasks.items()]
    _move_into_place(out, context.run.received)
    return {"sources": figures}


def _slice_tasks(context: Context) -> dict[str, list[SliceTask]]:
    """The slices of every source, each a task of its own."""
    from data_curation.download import cache_folder
    from data_curation.ingest import SliceTask
    from data_curation.slices import slices

    loaded, settings = context.loaded, context.loaded.config.curation
    return {
        source.name: [
            SliceTask(one, loaded.root, cache_folder(), _slice_folder(context, source.name, number), documents)
            for number, one in enumerate(slices(source, loaded.root, settings.slice_bytes))
        ]
        for source in loaded.config.sources
        for documents in [settings.shard_documents]
    }


def _slice_folder(context: Context, source: str, number: int) -> Path:
    return context.partial / "slices" / source / f"{number:05d}"


# ---- 2 admit: `pipeline.stage_admit`


# ---- 3 curate


def _curate(context: Context) -> dict[str, Any]:
    from data_curation.curate import curate
    from data_curation.curation_job import CurationJob

    job = CurationJob(
        received=context.run.received,
        decisions=context.run.decisions,
        settings=curation_settings(context.loaded),
        quality_rules=quality_rules(context.loaded),
        partial=context.partial,
        root=context.loaded.root,
        copies_used=context.loaded.config.policy.copies_not_admitted == "admit",
    )
    with context.meter("curate", "shards") as meter:
        figures = curate(job, context.workers, meter.expect, meter.advance)
    _move_into_place(context.partial / "out", context.run.curated)
    shutil.rmtree(context.partial, ignore_errors=True)
    return figures


# ---- 4 commit


def _commit(context: Context) -> dict[str, Any]:
    from data_curation.commit import CommitInputs, commit
    from data_curation.shared_terms import SharedTerms
    from data_curation.streams import read_streams
    from licensing.table import load_table

    run, config = context.run, context.loaded.config
    inputs = CommitInputs(
        received=run.received,
        decisions=run.decisions,
        curated=run.curated / "documents",
        duplicates=run.curated / "duplicates.parquet",
        seed=config.seed,
        held_out_share=config.corpus.held_out_share,
        agreement_held_out={name: one.hold_out_share for name, one in agreements_of(context.loaded).items()},
        withdrawn=refused_by_withdrawals(context),
        copies=run.curated / "copies.parquet",
        copies_not_admitted=config.policy.copies_not_admitted,
        repeats=run.curated / "repeats.parquet" if config.curation.repeats else None,
        repeats_settings=config.curation.repeats,
        terms=SharedTerms(run.curated / "terms.parquet", config.policy, load_table(run.rights / "licences.yaml")),
    )
    documents = sum(source["documents"] for source in context.figures("ingest")["sources"])
    rows = 0
    with atomic_folder(run.ledger) as ledger, atomic_folder(run.corpus) as corpus:
        with context.meter("commit", "rows", documents) as meter:
            for total in commit(inputs, ledger, corpus, context.workers):
                meter.advance(total - rows)
                rows = total
        root = json.loads((corpus / "roots.json").read_bytes())["root"]
        streams = read_streams(corpus)
    figures: dict[str, Any] = {"root": root, "rows": rows, "streams": len({stream.name for stream in streams})}
    if context.withdrawals:
        figures["withdrawals"] = [one.digest for one in context.withdrawals]
    for use, label in (("train", "train"), ("held-out", "held_out")):
        figures[f"{label}_documents"] = sum(s.documents for s in streams if s.use == use)
        figures[f"{label}_bytes"] = sum(s.bytes for s in streams if s.use == use)
    return figures


# ---- 5 tokenizer


def _tokenizer(context: Context) -> dict[str, Any]:
    from training.vocabulary import make_tokenizer, measured

    loaded, run = context.loaded, context.run
    if gaps_since_pack(context) is not None:
        return figures_of_kept_tokenizer(context)
    with atomic_folder(run.tokenizer) as folder:
        if loaded.config.base_model:
            figures = base_tokenizer(loaded, folder) | measured(run.corpus, vocabulary_settings(loaded), folder)
        else:
            figures = make_tokenizer(run.corpus, vocabulary_settings(loaded), loaded.config.seed, folder)
        write_atomically(folder / "fertility.json", canonical(figures["by_language"]))
    return figures


# ---- 6 pack


def _pack(context: Context) -> dict[str, Any]:
    from training.pack import pack, read_packed
    from training.withdrawn import take_out

    run = context.run
    gaps = gaps_since_pack(context)
    with atomic_folder(run.tokens) as folder, context.meter("pack", "documents") as meter:
        if gaps is not None:
            take_out(read_packed(run.tokens), run.corpus, gaps, folder)
        else:
            for stream in pack(run.corpus, run.tokenizer, folder, context.workers):
                meter.advance(stream.documents, stream.name)
    packed = read_packed(run.tokens)
    by_language: dict[str, Counter[str]] = {}
    for stream in packed.trained():
        figures = by_language.setdefault(stream.language, Counter())
        figures.update(documents=stream.documents, bytes=stream.bytes, tokens=stream.tokens)
    return {
        "root": packed.root,
        "documents": sum(stream.documents for stream in packed.streams),
        "tokens": sum(stream.tokens for stream in packed.trained()),
        "blank": sum(stream.blank for stream in packed.streams),
        "held_out_tokens": sum(stream.tokens for stream in packed.held_out()),
        "by_language": {name: dict(figures) for name, figures in sorted(by_language.items())},
    }


# ---- 7 train


def _train(context: Context) -> dict[str, Any]:
    from training.stage import train_run

    with context.meter("train", "steps") as meter:

        def tick(done: int, total: int, note: str) -> None:
            if meter.total is None:
                meter.expect(total, done - 1)
            meter.advance(1, note)

        base = open_base(context.loaded)
        figures = train_run(
            tokens=context.run.tokens,
            corpus_root=context.figures("commit")["root"],
            training=context.run.training,
            checkpoints=context.run.checkpoints,
            model=context.loaded.config.model,
            settings=context.loaded.config.training,
            seed=context.loaded.config.seed,
            tick=tick,
            restart=context.forced,
            base=base,
        )
    if base is None:
        return figures
    keep_texts(context.loaded, context.run.training)
    return figures | {"base_model": lineage(context.loaded, base.weights_sha256)}


# ---- 8 evaluate


def _evaluate(context: Context) -> dict[str, Any]:
    from evaluation.suites import EvaluationInputs, run_suite

    run, config = context.run, context.loaded.config
    inputs = EvaluationInputs(
        tokens=run.tokens,
        corpus=run.corpus,
        tokenizer=run.tokenizer,
        checkpoint=run.checkpoints / context.figures("train")["checkpoint"],
        plan=run.training / "plan.json",
        settings=config.evaluation,
        sequence_length=config.model.sequence_length,
        seed=config.seed,
        threads=config.training.threads,
        agreements=tuple(sorted(agreements_of(context.loaded))),
    )
    context.partial.mkdir(parents=True, exist_ok=True)
    figures: dict[str, Any] = {}
    for suite in config.evaluation.suites:
        with context.meter(suite, "items") as meter:

            def progress(done: int, total: int, meter: Any = meter) -> None:
                meter.expect(total)
                meter.advance(done)

            found = run_suite(suite, inputs, context.partial, progress)
            # The record goes to everyone; what the model repeats of one partner is told to that partner.
            figures[suite] = {name: value for name, value in found.items() if name != "agreements"}
    _move_into_place(context.partial, run.evaluation)
    return figures


# ---- 9 report


def _report(context: Context) -> dict[str, Any]:
    from pipeline.reporting import write_reports

    with atomic_folder(context.run.reports) as folder:
        return write_reports(context.loaded, context.run, context.before, agreements_of(context.loaded), folder)


def _move_into_place(finished: Path, target: Path) -> None:
    """Put a folder of finished tasks where readers look for it, replacing what an older configuration left there."""
    with atomic_folder(target) as folder:
        folder.rmdir()
        finished.rename(folder)


STAGES: tuple[Stage, ...] = (
    Stage(
        name="ingest",
        version=3,
        needs=(),
        outputs=lambda run: [run.received],
        settings=lambda loaded: [
            plain_sources(loaded),
            loaded.config.curation.shard_documents,
            loaded.config.curation.slice_bytes,
        ],
        work=_ingest,
        inputs=source_files,
    ),
    Stage(
        name="admit",
        version=3,
        needs=("ingest",),
        outputs=lambda run: [run.decisions, run.rights],
        settings=lambda loaded: [
            dump(loaded.config.intended_use),
            dump(loaded.config.policy),
            ground_settings(loaded),
        ],
        work=admit,
        inputs=rights_files,
    ),
    Stage(
        name="curate",
        version=3,
        needs=("ingest", "admit"),
        outputs=lambda run: [run.curated],
        settings=curation_keys,
        work=_curate,
        inputs=curation_files,
    ),
    Stage(
        name="commit",
        version=3,
        needs=("ingest", "admit", "curate"),
        outputs=lambda run: [run.ledger, run.corpus],
        settings=lambda loaded: [
            loaded.config.seed,
            dump(loaded.config.corpus),
            loaded.config.policy.copies_not_admitted,
            dump(loaded.config.curation.repeats) if loaded.config.curation.repeats else None,
        ],
        work=_commit,
        obeys=True,
        inputs=lambda loaded: [loaded.resolve(name) for name in loaded.config.policy.agreements],
    ),
    Stage(
        name="tokenizer",
        version=2,
        needs=("commit",),
        outputs=lambda run: [run.tokenizer],
        settings=tokenizer_settings,
        work=_tokenizer,
        inputs=parallel_files,
    ),
    Stage(
        name="pack",
        version=2,
        needs=("commit", "tokenizer"),
        outputs=lambda run: [run.tokens],
        settings=lambda loaded: None,
        work=_pack,
    ),
    Stage(
        name="train",
        version=3,
        needs=("commit", "pack"),
        outputs=lambda run: [run.training, run.checkpoints],
        settings=lambda loaded: [
            loaded.config.seed,
            dump(loaded.config.model),
            dump(loaded.config.training),
            *base_keys(loaded),
        ],
        work=_train,
        inputs=base_inputs,
    ),
    Stage(
        name="evaluate",
        version=2,
        needs=("commit", "tokenizer", "pack", "train"),
        outputs=lambda run: [run.evaluation],
        settings=lambda loaded: [loaded.config.seed, dump(loaded.config.evaluation)],
        work=_evaluate,
    ),
    Stage(
        name="report",
        version=3,
        needs=("ingest", "admit", "curate", "commit", "tokenizer", "pack", "train", "evaluate"),
        outputs=lambda run: [run.reports],
        settings=lambda loaded: [
            loaded.config.name,
            dump(loaded.config.report),
            dump(loaded.config.intended_use),
            [dump(release) for release in loaded.config.releases],
            dump(loaded.config.release),
        ],
        work=_report,
        inputs=policy_files,
    ),
)
NAMES: tuple[str, ...] = tuple(stage.name for stage in STAGES)


def outputs_of(run: RunDirectory) -> dict[str, list[Path]]:
    """What each stage makes, by stage."""
    return {stage.name: stage.outputs(run) for stage in STAGES}
