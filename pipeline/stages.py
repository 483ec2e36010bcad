"""The nine stages, in order: what each depends on, what it makes, and the work in terms of the rooms below."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from licensing.agreement import Agreement, load_agreements
from licensing.canonical import canonical
from licensing.files import atomic_folder, write_atomically
from pipeline.config import Loaded
from pipeline.run_directory import RunDirectory
from pipeline.stage import Context, Stage


def agreements_of(loaded: Loaded) -> dict[str, Agreement]:
    """The agreements that the policy names, by id."""
    return load_agreements(loaded.resolve(name) for name in loaded.config.policy.agreements)


def _policy_files(loaded: Loaded) -> Iterable[Path]:
    policy = loaded.config.policy
    return [loaded.resolve(policy.table), *(loaded.resolve(name) for name in policy.agreements)]


def _source_files(loaded: Loaded) -> Iterable[Path]:
    from data_curation.readers import inputs

    return [path for source in loaded.config.sources for path in inputs(source, loaded.root)]


def _quality_rules(loaded: Loaded) -> Path:
    return loaded.resolve(loaded.config.curation.quality_rules or "quality.yaml")


# ---- 1 ingest


def _ingest(context: Context) -> dict[str, Any]:
    from data_curation.download import cache_folder
    from data_curation.ingest_tasks import SourceTask, ingest_task
    from data_curation.parallel import run_tasks

    loaded = context.loaded
    tasks = [
        SourceTask(
            source, loaded.root, cache_folder(), context.partial / source.name, loaded.config.curation.shard_documents
        )
        for source in loaded.config.sources
    ]
    waiting = [task for task in tasks if not (task.folder / "counts.json").exists()]
    with context.meter("ingest", "documents") as meter:
        for task, counts in run_tasks(ingest_task, waiting, context.workers):
            meter.advance(counts["documents"], task.source.name)
    figures = [json.loads((task.folder / "counts.json").read_bytes()) for task in tasks]
    _move_into_place(context.partial, context.run.received)
    return {"sources": figures}


# ---- 2 admit


def _admit(context: Context) -> dict[str, Any]:
    from data_curation.admit import Admission, admit_shard
    from data_curation.shards import shards
    from licensing.table import load_table

    loaded, received = context.loaded, context.run.received
    admission = Admission(
        use=loaded.config.intended_use,
        policy=loaded.config.policy,
        table=load_table(loaded.resolve(loaded.config.policy.table)),
        agreements=agreements_of(loaded),
    )
    counts: Counter[str] = Counter()
    paths = shards(received)
    with atomic_folder(context.run.decisions) as out, context.meter("admit", "shards", len(paths)) as meter:
        for path in paths:
            target = out / path.relative_to(received)
            target.parent.mkdir(exist_ok=True)
            counts += admit_shard(path, path.parent / "clashing-native-ids.npy", target, admission)
            meter.advance()
    _keep_rights(loaded, context.run)
    return {"counts": dict(sorted(counts.items()))}


def _keep_rights(loaded: Loaded, run: RunDirectory) -> None:
    """Put the very texts that decided beside the decisions: what a contract says next year decided nothing today."""
    policy = loaded.config.policy
    with atomic_folder(run.rights) as folder:
        (folder / "agreements").mkdir()
        shutil.copyfile(loaded.resolve(policy.table), folder / "licences.yaml")
        for name in policy.agreements:
            path = loaded.resolve(name)
            shutil.copyfile(path, folder / "agreements" / path.name)


# ---- 3 curate


def _curate(context: Context) -> dict[str, Any]:
    from data_curation.curate import CurationJob, curate

    job = CurationJob(
        received=context.run.received,
        decisions=context.run.decisions,
        settings=context.loaded.config.curation,
        quality_rules=_quality_rules(context.loaded),
        partial=context.partial,
    )
    with context.meter("curate", "shards") as meter:
        figures = curate(job, context.workers, meter.expect, meter.advance)
    _move_into_place(context.partial / "out", context.run.curated)
    shutil.rmtree(context.partial, ignore_errors=True)
    return figures


# ---- 4 commit


def _commit(context: Context) -> dict[str, Any]:
    from data_curation.commit import CommitInputs, commit
    from data_curation.streams import read_streams

    run, config = context.run, context.loaded.config
    inputs = CommitInputs(
        received=run.received,
        decisions=run.decisions,
        curated=run.curated / "documents",
        duplicates=run.curated / "duplicates.parquet",
        seed=config.seed,
        held_out_share=config.corpus.held_out_share,
        agreement_held_out={name: one.hold_out_share for name, one in agreements_of(context.loaded).items()},
    )
    documents = sum(source["documents"] for source in context.figures("ingest")["sources"])
    rows = 0
    with atomic_folder(run.ledger) as ledger, atomic_folder(run.corpus) as corpus:
        with context.meter("commit", "rows", documents) as meter:
            for total in commit(inputs, ledger, corpus, context.workers):
                meter.advance(total - rows)
                rows = total
        roots = json.loads((corpus / "roots.json").read_bytes())
        streams = read_streams(corpus)
    figures: dict[str, Any] = {**roots, "rows": rows, "streams": len({stream.name for stream in streams})}
    for use, label in (("train", "train"), ("held-out", "held_out")):
        figures[f"{label}_documents"] = sum(s.documents for s in streams if s.use == use)
        figures[f"{label}_bytes"] = sum(s.bytes for s in streams if s.use == use)
    return figures


# ---- 5 tokenizer


def _tokenizer(context: Context) -> dict[str, Any]:
    from training.vocabulary import fertility, make_tokenizer

    config, run = context.loaded.config, context.run
    with atomic_folder(run.tokenizer) as folder:
        figures = make_tokenizer(run.corpus, config.tokenizer, config.seed, folder)
        figures["by_language"] = fertility(run.corpus, folder)
        write_atomically(folder / "fertility.json", canonical(figures["by_language"]))
    return figures


# ---- 6 pack


def _pack(context: Context) -> dict[str, Any]:
    from training.pack import pack, read_packed

    run = context.run
    with atomic_folder(run.tokens) as folder, context.meter("pack", "documents") as meter:
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

        return train_run(
            tokens=context.run.tokens,
            corpus_root=context.figures("commit")["root"],
            training=context.run.training,
            checkpoints=context.run.checkpoints,
            model=context.loaded.config.model,
            settings=context.loaded.config.training,
            seed=context.loaded.config.seed,
            tick=tick,
            restart=context.forced,
        )


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
    )
    context.partial.mkdir(parents=True, exist_ok=True)
    figures: dict[str, Any] = {}
    for suite in config.evaluation.suites:
        with context.meter(suite, "items") as meter:

            def progress(done: int, total: int, meter: Any = meter) -> None:
                meter.expect(total)
                meter.advance(done)

            figures[suite] = run_suite(suite, inputs, context.partial, progress)
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


def _dump(section: Any) -> Any:
    return section.model_dump(mode="json")


def _plain_sources(loaded: Loaded) -> Any:
    return [_dump(source) for source in loaded.config.sources]


STAGES: tuple[Stage, ...] = (
    Stage(
        name="ingest",
        version=1,
        needs=(),
        outputs=lambda run: [run.received],
        settings=lambda loaded: [_plain_sources(loaded), loaded.config.curation.shard_documents],
        work=_ingest,
        inputs=_source_files,
    ),
    Stage(
        name="admit",
        version=1,
        needs=("ingest",),
        outputs=lambda run: [run.decisions, run.rights],
        settings=lambda loaded: [_dump(loaded.config.intended_use), _dump(loaded.config.policy)],
        work=_admit,
        inputs=_policy_files,
    ),
    Stage(
        name="curate",
        version=1,
        needs=("ingest", "admit"),
        outputs=lambda run: [run.curated],
        settings=lambda loaded: _dump(loaded.config.curation),
        work=_curate,
        inputs=lambda loaded: [_quality_rules(loaded)],
    ),
    Stage(
        name="commit",
        version=1,
        needs=("ingest", "admit", "curate"),
        outputs=lambda run: [run.ledger, run.corpus],
        settings=lambda loaded: [loaded.config.seed, _dump(loaded.config.corpus)],
        work=_commit,
        inputs=lambda loaded: [loaded.resolve(name) for name in loaded.config.policy.agreements],
    ),
    Stage(
        name="tokenizer",
        version=1,
        needs=("commit",),
        outputs=lambda run: [run.tokenizer],
        settings=lambda loaded: [loaded.config.seed, _dump(loaded.config.tokenizer)],
        work=_tokenizer,
    ),
    Stage(
        name="pack",
        version=1,
        needs=("commit", "tokenizer"),
        outputs=lambda run: [run.tokens],
        settings=lambda loaded: None,
        work=_pack,
    ),
    Stage(
        name="train",
        version=1,
        needs=("commit", "pack"),
        outputs=lambda run: [run.training, run.checkpoints],
        settings=lambda loaded: [loaded.config.seed, _dump(loaded.config.model), _dump(loaded.config.training)],
        work=_train,
    ),
    Stage(
        name="evaluate",
        version=1,
        needs=("commit", "tokenizer", "pack", "train"),
        outputs=lambda run: [run.evaluation],
        settings=lambda loaded: [loaded.config.seed, _dump(loaded.config.evaluation)],
        work=_evaluate,
    ),
    Stage(
        name="report",
        version=1,
        needs=("ingest", "admit", "curate", "commit", "tokenizer", "pack", "train", "evaluate"),
        outputs=lambda run: [run.reports],
        settings=lambda loaded: [loaded.config.name, _dump(loaded.config.report), _dump(loaded.config.intended_use)],
        work=_report,
        inputs=_policy_files,
    ),
)
NAMES: tuple[str, ...] = tuple(stage.name for stage in STAGES)


def outputs_of(run: RunDirectory) -> dict[str, list[Path]]:
    """What each stage makes, by stage."""
    return {stage.name: stage.outputs(run) for stage in STAGES}
