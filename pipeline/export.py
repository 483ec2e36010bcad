"""`herkomst export`: a finished run as a folder to hand out, which `transformers` and vLLM load.

For the public: no document, no row of the ledger, no term of a contract, and no path of this machine is in it. Partners
under agreements are named only where the configuration says so (``release.name_partners``): without it, digests of the
signed statements and of the training order stand in the place of the statements, whose lists name partners' streams.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from evaluation.model_card import Facts, model_card
from evaluation.report import report_values
from licensing.attestation import SigningKey, key_id, load_or_create_key, read_public_key_pem, sign, statement
from licensing.canonical import canonical
from licensing.files import atomic_folder, file_digest
from licensing.leaf import partner_leaf
from licensing.ledger import Ledger
from licensing.merkle import leaf_hash
from licensing.record import PUBLIC_KEY_NAME, Entry
from licensing.withdrawal import Filed
from pipeline.base_model import BASE_TEXTS
from pipeline.config import ReleaseSettings, ReportSettings
from pipeline.registered import obeyed_by
from pipeline.reporting import kept_agreements, run_files
from pipeline.run_directory import RunDirectory
from pipeline.runner import newest_entries, signing_key_path
from pipeline.stages import NAMES
from pipeline.verify import verify
from training.release import ReleaseError, vllm_findings, weight_files, write_model
from training.retrain import PARENTS
from training.special_tokens import special_tokens

RECORD, SUMS, STATEMENT = "herkomst-record", "SHA256SUMS", "release.json"
_NEEDED = NAMES[: NAMES.index("train") + 1]
_NOTHING = "nothing was released"


@dataclass(frozen=True, slots=True)
class Exported:
    """A release: where it lies, the key that signed it, the digest of its weights, and what its maker should know."""

    folder: Path
    key: str
    weights_sha256: str
    notes: tuple[str, ...]


def export(run: RunDirectory, folder: Path) -> Exported:
    """Write a release of a run to ``folder``, which must not exist; the same run gives the same bytes.

    Raises:
        ReleaseError: the run is not finished, does not hold, or text in it is to be withdrawn; or its signing key is
            not at hand.
    """
    run.require()
    _refuse_place(run, folder)
    entries = _entries(run)
    config = yaml.safe_load(run.config.read_bytes())
    release = ReleaseSettings.model_validate(config.get("release") or {})
    named = release.name_partners or not kept_agreements(run)
    _refuse_use(run, config, entries)
    _refuse_pending(run, entries)
    key = _own_key(run)
    checkpoint = run.checkpoints / _figures(entries, "train")["checkpoint"]
    with atomic_folder(folder) as new:
        write_model(checkpoint, run.tokenizer, new)
        _refuse_other_weights(run, entries, checkpoint, new)
        if (run.training / BASE_TEXTS).is_dir():
            shutil.copytree(run.training / BASE_TEXTS, new / BASE_TEXTS)
        (new / "README.md").write_text(_card(run, entries, config, release, new), encoding="utf-8")
        _write_record(run, entries, new / RECORD, named)
        _refuse_paths(run, new)
        subjects = _digests(new)
        predicate = _stated(run, entries, config) | {"licence": release.licence, "partners_named": named}
        (new / RECORD / STATEMENT).write_bytes(sign(statement("release", subjects, predicate), key))
        lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(_digests(new).items()))
        (new / SUMS).write_text(lines, encoding="utf-8")
        notes = tuple(_notes(release, new, named))
    return Exported(folder, key.id, str(_figures(entries, "train")["weights_sha256"]), notes)


# ---- what must hold before anything is handed out


def _refuse_place(run: RunDirectory, folder: Path) -> None:
    if folder.exists() or folder.is_symlink():
        raise ReleaseError(f"{folder}: is there already; {_NOTHING}. A release is never changed: name a new folder.")
    if folder.resolve().is_relative_to(run.path.resolve()):
        raise ReleaseError(f"{folder}: lies in the run itself; {_NOTHING}. Name a folder outside of {run.path}.")


def _entries(run: RunDirectory) -> Mapping[str, Entry]:
    """The newest statement of every stage, from a run that `herkomst verify` finds nothing against."""
    findings = verify(run)
    if findings:
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        raise ReleaseError(f"{findings[0]}{more}; {_NOTHING}. `herkomst verify {run.path}` names all.")
    entries = newest_entries(run)
    missing = [name for name in _NEEDED if name not in entries]
    if missing:
        raise ReleaseError(
            f"{run.path}: not yet done: {', '.join(missing)}; {_NOTHING}. Finish it with `herkomst run`."
        )
    return entries


def _refuse_use(run: RunDirectory, config: Mapping[str, Any], entries: Mapping[str, Entry]) -> None:
    """Every document was admitted for a use; handing out weights that were never to leave is another."""
    if not config["intended_use"]["weights_released"]:
        raise ReleaseError(
            f"intended_use.weights_released is false: rights were judged for weights that stay here; {_NOTHING}. Set "
            "it to true and run again, so that every document is judged for a release."
        )
    admit = entries["admit"].predicate
    same_config = admit["config_sha256"] == file_digest(run.config)[0]
    if admit["figures"].get("intended_use", config["intended_use"] if same_config else None) != config["intended_use"]:
        raise ReleaseError(
            f"{run.config}: intended_use is not the one that the documents were judged for; {_NOTHING}. Run `herkomst "
            "run` to its end, so that every document is judged for this use (with --force admit where it finds nothing "
            "to do)."
        )


def _refuse_pending(run: RunDirectory, entries: Mapping[str, Entry]) -> None:
    """A withdrawal that is known but not yet in effect: weights that are handed out cannot be taken back."""
    carried_out = set(_figures(entries, "commit").get("withdrawals", ()))
    ledger = Ledger(run.ledger)
    for one in obeyed_by(run, date.max):
        if one.digest not in carried_out and _touches(ledger, one):
            raise ReleaseError(
                f"{one.folder}: withdrawal {one.withdrawal.number} of run {one.withdrawal.run} takes back text of this "
                f"run from {one.withdrawal.effective} on; {_NOTHING}. Set policy.as_of to that day and run again."
            )


def _touches(ledger: Ledger, one: Filed) -> bool:
    found = (ledger.find(row["id"]) for row in one.rows(["id"]))
    return any(row is not None and row["use"] != "none" for row in found)


def _own_key(run: RunDirectory) -> SigningKey:
    path = signing_key_path()
    public = read_public_key_pem((run.path / "record" / PUBLIC_KEY_NAME).read_bytes(), PUBLIC_KEY_NAME)
    key = load_or_create_key(path) if path.is_file() else None
    if key is None or key.public != public:
        raise ReleaseError(
            f"{path}: is not the key {key_id(public)} that signed the record of {run.path}; {_NOTHING}. Name the file "
            "of the run's own key in HERKOMST_KEY."
        )
    return key


def _refuse_other_weights(run: RunDirectory, entries: Mapping[str, Entry], checkpoint: Path, folder: Path) -> None:
    signed = entries["train"].subjects
    for path in weight_files(checkpoint):
        if file_digest(folder / path.name)[0] != signed.get(path.relative_to(run.path).as_posix()):
            raise ReleaseError(f"{path}: is not what the training stage signed; {_NOTHING}. Run `herkomst verify`.")


def _refuse_paths(run: RunDirectory, folder: Path) -> None:
    here = str(run.path.resolve()).encode()
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".safetensors" and here in path.read_bytes():
            raise ReleaseError(
                f"{path.name}: would hold the path of this run on this machine; {_NOTHING}. Report this."
            )


# ---- what is written


def _figures(entries: Mapping[str, Entry], stage: str) -> dict[str, Any]:
    return dict(entries[stage].predicate["figures"])


def _card(
    run: RunDirectory, entries: Mapping[str, Entry], config: dict[str, Any], release: ReleaseSettings, folder: Path
) -> str:
    agreements = kept_agreements(run)
    publisher = ReportSettings.model_validate(config["report"])
    # Without their terms: what a contract says is between its parties.
    files = run_files(run, entries, {})
    if "evaluate" not in entries:
        # What may lie there was never signed.
        files = replace(files, evaluation=run.evaluation / "none")
    values = report_values(files, publisher, config)
    facts = Facts(
        licence=release.licence,
        opening=special_tokens(run.tokenizer).end_of_document,
        sequence_length=config["model"]["sequence_length"],
        vllm=vllm_findings(folder),
        agreements=sorted(agreements),
        name_partners=release.name_partners,
    )
    return model_card(values, facts)


def _write_record(run: RunDirectory, entries: Mapping[str, Entry], folder: Path, named: bool) -> None:
    folder.mkdir()
    shutil.copyfile(run.path / "record" / PUBLIC_KEY_NAME, folder / PUBLIC_KEY_NAME)
    (folder / "statements.json").write_bytes(canonical([_in_chain(entry) for entry in run.record().entries()]))
    roots = json.loads((run.corpus / "roots.json").read_bytes())
    if not named:
        leaves = [leaf_hash(partner_leaf(one)).hex() for one in roots["partners"]]
        (folder / "roots.json").write_bytes(canonical({"root": roots["root"], "partner_leaves": leaves}))
        return
    (folder / "roots.json").write_bytes(canonical(roots))
    (folder / "statements").mkdir()
    for stage in filter(entries.__contains__, NAMES):
        shutil.copyfile(entries[stage].path, folder / "statements" / entries[stage].path.name)
    for path in [run.training / "plan.json", *sorted((run.training / PARENTS).glob("*.json"))]:
        target = folder / path.relative_to(run.training)
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(path, target)


def _in_chain(entry: Entry) -> dict[str, Any]:
    """One link of the record: enough to know a statement again when it is shown, and nothing of what it says."""
    return {
        "number": entry.number,
        "stage": entry.stage,
        "sha256": entry.sha256,
        "previous": entry.predicate["previous"],
    }


def _digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_digest(path)[0] for path in files}


def _stated(run: RunDirectory, entries: Mapping[str, Entry], config: Mapping[str, Any]) -> dict[str, Any]:
    train = _figures(entries, "train")
    return {
        "run": config["name"],
        "provider": config["report"]["provider"],
        "intended_use": config["intended_use"],
        "config_sha256": file_digest(run.config)[0],
        "corpus_root": _figures(entries, "commit")["root"],
        "tokens_root": _figures(entries, "pack")["root"],
        "plan_digest": train["plan_digest"],
        "checkpoint": train["checkpoint"],
        "weights_sha256": train["weights_sha256"],
        "base_model": train.get("base_model"),
        "record_head": run.record().head(),
        "statements": {stage: entry.sha256 for stage, entry in entries.items() if stage in NAMES},
        "withdrawals_carried_out": sorted(_figures(entries, "commit").get("withdrawals", ())),
    }


def _notes(release: ReleaseSettings, folder: Path, named: bool) -> Iterator[str]:
    if not release.licence:
        yield "release.licence is not set: the card says that the licence is missing, and nobody can rely on one."
    if not named:
        yield (
            "Partners under agreements are not named, so statements and plan are given by their digests. "
            "release.name_partners: true puts them in."
        )
    yield from (f"vLLM: {finding}." for finding in vllm_findings(folder))
