"""Tracing, auditing, committing and planning a withdrawal at 10 million documents, next to doing each the naive way.

    python benchmarks/scale.py [--documents 100000 1000000 10000000] [--signatures 1000000] [--folder FOLDER] [--keep]

Makes a run directory for each size (10 million documents: 10^10 tokens, 40 partners, about 2.5 GB on disk with the
trees; 12 GB more with MinHash signatures, through which near copies of withdrawn text are found), asks it the questions
each in a process of its own, prints a table for every size and the slope between sizes, and removes it again. *Cold* is
the first answer of a new process with the run's pages dropped from the page cache; *warm* is every later one. Peak
memory is the largest resident set of the process, mapped pages of files included; for the trees it is that of the two
workers and their parent together.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from measure import REPOSITORY, machine
from scale_tables import Figures, slopes, table

sys.path.insert(0, str(REPOSITORY))

CONFIG = REPOSITORY / "configs" / "demo.yaml"
WORKERS = 2
TRACED = 400
"""Documents traced warm."""
SAMPLED_ROWS = 100_000
"""Rows that a naive audit reads; its time for all is in proportion."""
SAMPLED_STEPS = 200
"""Steps that a naive withdrawal plan reads; its time for all is in proportion."""


def main() -> None:
    """Measure each size, or be one of the processes that measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, nargs="+", default=[10**5, 10**6, 10**7])
    parser.add_argument(
        "--signatures", type=int, default=10**6, help="up to how many documents a run has signatures (1.2 kB each)"
    )
    parser.add_argument("--folder", type=Path, help="where the runs are made; a temporary folder if left out")
    parser.add_argument("--keep", action="store_true", help="leave the runs where they are")
    parser.add_argument("--question", choices=QUESTIONS, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.question:
        print(json.dumps(_answered(wanted)))
        return
    parent = Path(tempfile.mkdtemp(prefix="herkomst-scale-", dir=wanted.folder))
    print(f"{machine()}; load {os.getloadavg()[0]:.1f} when it began, which counts for times by the clock", flush=True)
    found: dict[int, dict[str, Figures]] = {}
    try:
        for documents in wanted.documents:
            folder = parent / f"documents-{documents}"
            more = ["--signatures", wanted.signatures]
            found[documents] = {question: _ask(question, folder, documents, more) for question in QUESTIONS}
            print("\n".join(table(documents, found[documents])), flush=True)
            if not wanted.keep:
                shutil.rmtree(folder)
    finally:
        if not wanted.keep:
            shutil.rmtree(parent, ignore_errors=True)
    print("\n".join(slopes(found)))


def _ask(question: str, folder: Path, documents: int, more: list[Any]) -> Figures:
    command = [sys.executable, __file__, "--question", question, "--folder", folder, "--documents", documents, *more]
    _drop_pages(folder)
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{question} ended with {done.returncode}:\n{done.stderr}")
    return dict(json.loads(done.stdout))


def _answered(wanted: argparse.Namespace) -> Figures:
    documents = wanted.documents[0]
    signatures = {"signatures": documents <= wanted.signatures} if wanted.question == "generate" else {}
    figures = QUESTIONS[wanted.question](wanted.folder, documents, **signatures)
    return {"peak_mib": _peak()} | figures


def _drop_pages(folder: Path) -> None:
    """Take a run's files out of the page cache, so that the next process reads them from the disk."""
    for path in folder.rglob("*") if folder.exists() else ():
        if path.is_file():
            handle = os.open(path, os.O_RDONLY)
            os.fsync(handle)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(handle)


@contextmanager
def timed(figures: Figures, name: str) -> Iterator[None]:
    """Note the seconds that a block takes, by the clock and of processor time: on a busy machine they differ."""
    began, used = time.perf_counter(), _processor()
    yield
    figures |= {name: time.perf_counter() - began, f"{name}_cpu": _processor() - used}


def _processor() -> float:
    """Seconds of processor time of this process and of those that it started and that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


# ---- questions, each asked in a process of its own


def generate(folder: Path, documents: int, signatures: bool) -> Figures:
    """Make the run."""
    from scale_run import make_run

    figures: Figures = {}
    with timed(figures, "seconds"):
        run = make_run(folder, documents, CONFIG, signatures)
    plan = json.loads((run.training / "plan.json").read_bytes())
    streams = json.loads((run.tokens / "streams.json").read_bytes())["streams"]
    return figures | {
        "tokens": sum(one["tokens"] for one in streams),
        "streams": len(streams),
        "steps": plan["segments"][-1]["last_step_exclusive"],
        "disk_bytes": _on_disk(folder) - _on_disk(run.curated),
        "signature_bytes": _on_disk(run.curated),
        "ledger_bytes": _on_disk(run.ledger),
    }


def _on_disk(folder: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def tree(folder: Path, _: int) -> Figures:
    """Build every partner's tree and the tree over them from the ledger with two workers; a fortieth row by row."""
    from scale_run import MEASURED

    from data_curation.commit import build_trees
    from licensing.canonical import canonical
    from licensing.leaf import ledger_leaf
    from licensing.leaf_hashes import LEAF_COLUMNS
    from licensing.ledger import Ledger
    from licensing.merkle import leaf_hash, root_of

    figures: Figures = {}
    ledger = Ledger(folder / "ledger")
    shutil.rmtree(folder / "corpus", ignore_errors=True)
    with timed(figures, "seconds"):
        roots = build_trees(ledger, folder / "corpus" / "merkle", WORKERS)
    figures["peak_mib"] = _peak(resource.RUSAGE_CHILDREN) * WORKERS + _peak()
    (folder / "corpus" / "roots.json").write_bytes(canonical(roots))
    with timed(figures, "naive"):
        root = root_of(leaf_hash(ledger_leaf(row)) for row in ledger.rows(MEASURED, LEAF_COLUMNS)).hex()
    if root not in [one["root"] for one in roots["partners"]]:
        raise SystemExit("row by row the tree has another root")
    share = len(ledger) / next(one.rows for one in ledger.partners() if one.partner == MEASURED)
    return _scaled(figures, share)


def trace(folder: Path, _: int) -> Figures:
    """Trace one document after another, and one by scanning all steps."""
    import numpy as np

    from pipeline.run_directory import RunDirectory
    from pipeline.trace import Tracer

    figures: Figures = {}
    tracer = Tracer(RunDirectory(folder))
    partners = tracer.ledger.partners()
    random = np.random.default_rng(3)
    shares = np.array([one.rows for one in partners]) / len(tracer.ledger)
    drawn = [partners[at] for at in random.choice(len(partners), TRACED + 1, p=shares)]
    ids = [tracer.ledger.ids(one).hex(int(random.integers(one.rows))) for one in drawn]
    with timed(figures, "cold"):
        tracer.document(ids[0])
    seconds, answers = [], []
    with timed(figures, "all"):
        for name in ids[1:]:
            began = time.perf_counter()
            answers.append(tracer.document(name))
            seconds.append(time.perf_counter() - began)
    figures |= {"median": float(np.median(seconds)), "p99": float(np.quantile(seconds, 0.99))}
    figures |= {"seconds_cpu": figures["all_cpu"] / TRACED, "peak_before_naive": _peak()}
    read = next(one for one in answers if one["positions"])
    with timed(figures, "native_id"):
        if [one["id"] for one in tracer.by_native_id(read["native_id"])] != [read["id"]]:
            raise SystemExit("the supplier's id led to another document")
    with timed(figures, "naive"):
        scanned = _scan_steps(tracer, read)
    if scanned != read["positions"]:
        raise SystemExit("scanning all steps gave other positions")
    command = [sys.executable, "-m", "pipeline.cli", "trace", str(folder.resolve()), "--document", read["id"], "--json"]
    with timed(figures, "command"):
        told = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True).stdout
    if json.loads(told) != read:
        raise SystemExit("the command line gave another answer")
    return figures


def _scan_steps(tracer: Any, answer: Figures) -> list[list[int]]:
    """The positions of one document, found by looking at every row of every step; its span is taken as known."""
    import numpy as np

    index = [one.name for one in tracer.plan.streams].index(answer["tokens"]["stream"])
    length = tracer.plan.sequence_length
    first, last = answer["tokens"]["first"] // length, -(-answer["tokens"]["end"] // length)
    found = []
    for step in range(tracer.steps_done):
        stream, sequence = tracer.plan.at(step)
        rows = np.flatnonzero((stream == index) & (sequence >= first) & (sequence < last))
        found += [[step, int(row)] for row in rows]
    return found


def audit(folder: Path, _: int) -> Figures:
    """One partner's statement, its use in training and the list of all its documents; then a sample row by row."""
    from scale_run import MEASURED

    from evaluation.statement import statement_values, write_csv
    from pipeline.run_directory import RunDirectory
    from pipeline.trace import Tracer
    from pipeline.usage import usage_of

    figures: Figures = {}
    files, tracer = _files(folder), Tracer(RunDirectory(folder))
    with timed(figures, "seconds"):
        with timed(figures, "usage"):
            usage = usage_of(tracer, MEASURED)
        with timed(figures, "statement"):
            statement_values(files, MEASURED, usage)
        with timed(figures, "csv"), tempfile.TemporaryFile("w", encoding="utf-8") as file:
            figures["rows"] = write_csv(file, files, MEASURED, usage)
    if usage is None:
        raise SystemExit("nothing was trained")
    figures |= {"tokens_read": usage.tokens_read, "peak_before_naive": _peak()}
    seen = min(SAMPLED_ROWS, len(tracer.ledger))
    with timed(figures, "naive"):
        for row in islice(tracer.rows(), seen):
            if row["partner"] == MEASURED and row["use"] == "train":
                tracer.exposure(row)
    return _scaled(figures, len(tracer.ledger) / seen)


def _files(folder: Path) -> Any:
    from evaluation.run_files import RunFiles

    roots = json.loads((folder / "corpus" / "roots.json").read_bytes())
    names = ("ledger", "corpus", "tokens", "training", "checkpoints", "evaluation")
    return RunFiles(**{name: folder / name for name in names}, entries={"commit": {"figures": roots}})


def reach(folder: Path, _: int) -> Figures:
    """What withdrawing one partner would touch; then a sample of steps looked through for its documents."""
    from scale_run import MEASURED

    from pipeline.reach import reach_of
    from pipeline.run_directory import RunDirectory
    from pipeline.trace import Tracer

    figures: Figures = {}
    run = RunDirectory(folder)
    tracer = Tracer(run)
    with timed(figures, "seconds"):
        found = reach_of(tracer, partner=MEASURED)
        tainted = [path.name for path in run.checkpoints.iterdir() if found.read_by(int(path.name.split("-")[1]))]
    ids = [row["id"] for row in tracer.ledger.rows(MEASURED, ["id"])]
    with timed(figures, "by_id"):
        if reach_of(tracer, ids=ids).steps.tolist() != found.steps.tolist():
            raise SystemExit("the same documents by id reach other steps")
    figures |= {"documents": found.documents, "tokens": found.tokens, "steps": len(found.steps)}
    figures |= {"positions": found.positions, "checkpoints": len(tainted), "peak_before_naive": _peak()}
    mine = set(ids)
    steps = range(0, tracer.steps_done, max(1, tracer.steps_done // SAMPLED_STEPS))
    with timed(figures, "naive"):
        hit = {step for step in steps if _reads_any(tracer.step(step), mine)}
    if hit != set(found.steps.tolist()) & set(steps):
        raise SystemExit("looking through steps found others")
    return _scaled(figures, tracer.steps_done / len(steps))


def _scaled(figures: Figures, times: float) -> Figures:
    """What a naive way took on a sample, in proportion for the whole."""
    whole = {name: figures[name] * times for name in ("naive", "naive_cpu")}
    return figures | whole | {"naive_sample": 1 / times}


def _reads_any(step: Figures, ids: set[str]) -> bool:
    return any(part["id"] in ids for row in step["rows"] for part in row["documents"])


def plan(folder: Path, documents: int) -> Figures:
    """The whole plan of withdrawing one partner, part by part; near copies only where the run has signatures."""
    import pyarrow as pa
    import yaml
    from scale_run import MEASURED, copies_made

    from data_curation.settings import DuplicatesSettings
    from data_curation.withdrawn_copies import joined
    from pipeline.run_directory import RunDirectory
    from pipeline.trace import Tracer
    from pipeline.withdraw_documents import Asked, asked_documents, digests_of, made_from, near_copies, with_copies
    from pipeline.withdraw_plan import weighed

    figures: Figures = {}
    run, asked = RunDirectory(folder), Asked("partner", (MEASURED,), "measured", None)
    tracer, config = Tracer(run), yaml.safe_load(run.config.read_bytes())
    settings = DuplicatesSettings.model_validate(config["curation"]["duplicates"])
    with timed(figures, "documents"):
        found = asked_documents(tracer, asked)
        wanted = digests_of(found)
    signed, copies = joined((), settings), found.slice(0, 0)
    if (run.curated / "signatures").is_dir():
        with timed(figures, "copies"):
            signed, near = near_copies(run, wanted, settings)
            copies = with_copies(tracer, near)
        if len(copies) != copies_made(documents):
            raise SystemExit(f"{len(copies)} near copies were found and {copies_made(documents)} made")
    with timed(figures, "made_from"):
        copies = pa.concat_tables([copies, made_from(tracer, digests_of(found, copies))])
    with timed(figures, "reach"):
        told = weighed(run, tracer, config, asked, found, copies, signed)
    if told.clean is not None or len(told.tainted) != len(list(run.checkpoints.iterdir())):
        raise SystemExit("every checkpoint has read something of a fortieth of the text, and the plan names others")
    parts = [name for name in ("documents", "copies", "made_from", "reach") if name in figures]
    figures |= {"seconds": sum(figures[name] for name in parts)}
    figures |= {"seconds_cpu": sum(figures[f"{name}_cpu"] for name in parts)}
    figures |= {"rest_cpu": figures["seconds_cpu"] - figures.get("copies_cpu", 0.0)}
    return figures | {"parts": parts, "asked": len(found), "found": len(copies), "steps": len(told.reach.steps)}


def sign(folder: Path, _: int) -> Figures:
    """The same by `plan_withdrawal` and `confirm`, signed: only where the run has signatures."""
    from datetime import date

    from scale_run import MEASURED

    from licensing.attestation import load_or_create_key
    from pipeline.run_directory import RunDirectory
    from pipeline.withdraw import confirm
    from pipeline.withdraw_documents import Asked
    from pipeline.withdraw_plan import plan_withdrawal

    figures: Figures = {}
    run = RunDirectory(folder)
    if not (run.curated / "signatures").is_dir():
        return figures
    key = load_or_create_key(folder / "key.pem")
    with timed(figures, "plan"):
        told = plan_withdrawal(run, Asked("partner", (MEASURED,), "measured", None))
    with timed(figures, "seconds"):
        confirm(run, told, key, date(2026, 11, 24))
    return figures


def report(folder: Path, _: int) -> Figures:
    """The figures of the whole ledger, as the report counts them."""
    from evaluation.ledger_figures import read_figures

    figures: Figures = {}
    with timed(figures, "seconds"):
        read_figures(folder / "ledger")
    return figures


def _peak(who: int = resource.RUSAGE_SELF) -> float:
    """MiB of the largest resident set: of this process, or of the largest of those that it started."""
    return resource.getrusage(who).ru_maxrss / 1024


QUESTIONS: dict[str, Callable[..., Figures]] = {
    "generate": generate,
    "tree": tree,
    "trace": trace,
    "audit": audit,
    "reach": reach,
    "plan": plan,
    "sign": sign,
    "report": report,
}


if __name__ == "__main__":
    main()
