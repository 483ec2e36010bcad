"""The model that a run continues from: where its files are, whether its licence admits the use, and what is recorded.

Its licence is judged by the same table and policy as that of any document, against the same intended use. What its card
declares is set against what the configuration concludes, and the stricter stands.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_curation.readers.base import resolved
from licensing.canonical import digest_of
from licensing.decide import decide
from licensing.errors import HerkomstError
from licensing.files import atomic_folder, file_digest
from licensing.resolvers import hub_card
from licensing.rights import Decision, Declared, Rights
from licensing.table import load_table
from pipeline.config import Loaded
from training.settings import BaseModelSettings

if TYPE_CHECKING:
    from training.base_model import BaseModel
    from training.settings import Shape

BASE_TEXTS = "base-model"
"""Below a run's ``training``: licence, notices, card and summary of the base, as they were when it was trained on."""

_WHAT_IS_KNOWN = "Herkomst accounts for the continued training only, not for what the base model was trained on before."
_FETCHED = ("*.json", "*.jinja", "README.md", "LICENSE*", "LICENCE*", "NOTICE*", "COPYING*")
_WEIGHTS = ("*.safetensors",)


class BaseNotAdmitted(HerkomstError):
    """The licence of the base model does not admit the intended use, or nobody can tell."""


def base_folder(loaded: Loaded, weights: bool = True) -> Path:
    """Where the base model lies; one on the hub is fetched once, at its commit, without ``weights`` only what is small.

    Raises:
        HerkomstError: it is not there.
    """
    base = _settings(loaded)
    if not base.is_folder:
        return _fetched(base.path, base.revision or "", weights)
    folder = resolved(loaded.root, base.path)
    if not folder.is_dir():
        raise HerkomstError(
            f"{loaded.path}: base_model.path: {folder} is no folder; nothing was run. A model on the hub is OWNER/NAME "
            "with its revision."
        )
    return folder


@cache
def _fetched(name: str, revision: str, weights: bool) -> Path:
    from huggingface_hub import constants, snapshot_download

    patterns = [*_FETCHED, *(_WEIGHTS if weights else ())]
    try:
        return Path(snapshot_download(name, revision=revision, allow_patterns=patterns))
    except Exception as fault:  # the hub's client raises a dozen kinds, all of which mean that it is not there
        offline = " with HF_HUB_OFFLINE set" if constants.HF_HUB_OFFLINE else ""
        raise HerkomstError(
            f"base_model.path: {name} at {revision} cannot be had from the hub{offline} ({fault}); nothing was run. "
            "Check both, or download it and name the folder."
        ) from fault


def _settings(loaded: Loaded) -> BaseModelSettings:
    base = loaded.config.base_model
    if base is None:
        raise HerkomstError(f"{loaded.path}: there is no base_model; nothing was run.")
    return base


def base_inputs(loaded: Loaded) -> list[Path]:
    """The files that stages resting on a base model depend on; none without one."""
    if loaded.config.base_model is None:
        return []
    from training.base_model import base_files

    return [*base_files(base_folder(loaded)), *filter(None, [_summary_file(loaded)])]


def base_keys(loaded: Loaded) -> list[Any]:
    """What else they depend on: the section itself, and what policy and table make of its licence."""
    if loaded.config.base_model is None:
        return []
    return [{"base_model": loaded.config.base_model.model_dump(mode="json"), "decision": decide_base(loaded).as_dict()}]


def base_tokenizer_keys(loaded: Loaded) -> list[Any]:
    """What a tokenizer taken over from a base model depends on: other weights do not make it stale."""
    if loaded.config.base_model is None:
        return []
    from training.base_model import tokenizer_files

    files = {path.name: file_digest(path)[0] for path in tokenizer_files(base_folder(loaded, weights=False))}
    return [*base_keys(loaded), files]


def decide_base(loaded: Loaded) -> Decision:
    """Judge the base model's licence for the intended use."""
    from training.base_model import card_text

    base, config = _settings(loaded), loaded.config
    concluded = Declared(base.licence, f"config: base_model.licence ({base.licence_evidence})", "spdx")
    card = hub_card.read(card_text(base_folder(loaded, weights=False)) or "")
    # A card's free text says nothing that the conclusion has not read; an SPDX id that differs contradicts it.
    declared = [one for one in card.licences if one.form == "spdx"]
    rights = Rights((concluded, *declared), evidence=base.licence_evidence)
    table = load_table(loaded.resolve(config.policy.table))
    return decide(rights, config.intended_use, config.policy, table, {}, "base_model")


def card_declares(loaded: Loaded) -> list[str]:
    """Licences and terms in the words of the base's card; what is no SPDX id decides nothing, and is to be read."""
    from training.base_model import card_text

    card = hub_card.read(card_text(base_folder(loaded, weights=False)) or "")
    return [one.text for one in (*card.licences, *card.terms)]


def require_base(loaded: Loaded) -> Decision:
    """Stop unless the base model may be used as intended.

    Raises:
        BaseNotAdmitted: it is refused, or a person must look first.
    """
    decision = decide_base(loaded)
    if decision.outcome != "admit":
        what = "is refused" if decision.outcome == "refuse" else "must be judged by a person first"
        raise BaseNotAdmitted(
            f"{loaded.path}: base_model: {_settings(loaded).shown_name} {what} ({decision.reason}"
            f"{', ' + decision.clause if decision.clause else ''}). {decision.explanation} Nothing was run. Choose "
            "another base model, or have the licence judged and write the result into the licence table or "
            "policy.licences."
        )
    return decision


def prepare_base(loaded: Loaded) -> None:
    """Find out before hours of curation that the base model cannot be used; nothing without one."""
    if loaded.config.base_model is not None:
        require_base(loaded)
        base_inputs(loaded)
        base_shape(loaded)


def base_shape(loaded: Loaded) -> Shape:
    """The base model's figures."""
    from training.base_model import shape_of

    return shape_of(base_folder(loaded, weights=False), loaded.config.model)


def open_base(loaded: Loaded) -> BaseModel | None:
    """The base model for training, admitted; None where training begins from random weights."""
    if loaded.config.base_model is None:
        return None
    from training.base_model import BaseModel, weights_digest

    require_base(loaded)
    folder = base_folder(loaded)
    return BaseModel(folder, weights_digest(folder))


def base_tokenizer(loaded: Loaded, folder: Path) -> dict[str, Any]:
    """Take over the base model's tokenizer into ``folder``; returns the figures."""
    from training.base_tokenizer import take_tokenizer

    require_base(loaded)
    return take_tokenizer(base_folder(loaded, weights=False), folder)


def keep_texts(loaded: Loaded, training: Path) -> None:
    """Keep what the base's provider says of it beside the training, for those to whom the model is passed on."""
    from training.base_model import text_files

    with atomic_folder(training / BASE_TEXTS) as folder:
        for path in text_files(base_folder(loaded)):
            shutil.copyfile(path, folder / path.name)
        summary = _summary_file(loaded)
        if summary is not None:
            shutil.copyfile(summary, folder / f"training-summary{summary.suffix}")


def lineage(loaded: Loaded, weights_sha256: str) -> dict[str, Any]:
    """What the signed record says of the base model; no path of this machine is in it."""
    from training.base_model import base_files

    base, decision = _settings(loaded), require_base(loaded)
    files = {path.name: file_digest(path)[0] for path in base_files(base_folder(loaded))}
    return {
        "name": base.shown_name,
        "revision": base.revision,
        "licence": decision.licence,
        "decision": decision.outcome,
        "reason": decision.reason,
        "clause": decision.clause,
        "explanation": decision.explanation,
        "duties": [{"kind": duty.kind, "value": duty.value, "clause": duty.clause} for duty in decision.duties],
        "licence_evidence": base.licence_evidence,
        "conflict": decision.conflict,
        "card_declares": card_declares(loaded),
        "training_summary": _summary(loaded),
        "weights_sha256": weights_sha256,
        "files": files,
        "files_sha256": digest_of(files),
        "accounted_for": _WHAT_IS_KNOWN,
    }


def _summary_file(loaded: Loaded) -> Path | None:
    """The file of the base's public summary, where one is named."""
    stated = _settings(loaded).training_summary
    if stated == "none" or stated.startswith(("https://", "http://")):
        return None
    return loaded.resolve(stated)


def _summary(loaded: Loaded) -> Mapping[str, str | None]:
    stated, path = _settings(loaded).training_summary, _summary_file(loaded)
    if path is not None:
        return {"kind": "file", "value": path.name, "sha256": file_digest(path)[0]}
    return {"kind": "none" if stated == "none" else "address", "value": None if stated == "none" else stated}


def explain_base(loaded: Loaded) -> list[str]:
    """The base model in words, for `herkomst check`."""
    base, decision = _settings(loaded), decide_base(loaded)
    summary = "none is known" if base.training_summary == "none" else base.training_summary
    return [
        f"{base.shown_name}" + (f" at {base.revision}" if base.revision else ", a local folder"),
        f"{base.licence}: {decision.outcome}. {decision.explanation}",
        f"its card declares: {'; '.join(card_declares(loaded)) or 'no licence'}",
        *(f"duty: {duty.kind} {duty.value} ({duty.clause})" for duty in decision.duties),
        f"summary of what it was trained on: {summary}",
        _WHAT_IS_KNOWN,
    ]
