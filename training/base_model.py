"""An existing model that training continues from: which of its files are used, its shape, and its weights.

Only what needs no code of its own and no pickle is used: safetensors weights of an architecture that `transformers`
carries, and a fast tokenizer (`training.base_tokenizer`). The base's own figures decide; ``model`` may repeat them.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from licensing.canonical import digest_of
from licensing.errors import HerkomstError
from licensing.files import file_digest
from training.job import TrainingJob
from training.model import build_model
from training.settings import Architecture, ModelSettings, Shape

CONFIG, WEIGHTS, INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
)
LEGAL_FILES = ("LICENSE*", "LICENCE*", "NOTICE*", "COPYING*")
_CARD = "README.md"

# Mistral's blocks are Llama's: nothing that a shape counts is different.
_SHAPED: dict[str, Architecture] = {"llama": "llama", "mistral": "llama", "olmo2": "olmo2", "qwen3": "qwen3"}
_NOTHING = "nothing was trained"


class BaseModelError(HerkomstError):
    """A base model that cannot be continued from."""


@dataclass(frozen=True, slots=True)
class BaseModel:
    """A base model at hand: its folder, and the digest of its weights and configuration (`weights_digest`)."""

    folder: Path
    weights_sha256: str


def base_files(folder: Path) -> list[Path]:
    """Every file of a base model that is used or kept as evidence, sorted by name.

    Raises:
        BaseModelError: one that is needed is missing, or its weights are in another form than safetensors.
    """
    needed = [*_weight_files(folder), folder / "tokenizer.json", folder / "tokenizer_config.json"]
    for path in needed:
        if not path.is_file():
            raise BaseModelError(
                f"{path}: is missing, so the base model cannot be used and {_NOTHING}. Needed are {CONFIG}, "
                "safetensors weights, tokenizer.json and tokenizer_config.json."
            )
    return sorted({*needed, *tokenizer_files(folder), *text_files(folder)})


def text_files(folder: Path) -> list[Path]:
    """Its licence and notices, which whoever passes the model on passes on too (Apache-2.0, s. 4), and its card."""
    legal = {path for pattern in LEGAL_FILES for path in folder.glob(pattern)}
    return sorted(path for path in {*legal, folder / _CARD} if path.is_file())


def tokenizer_files(folder: Path) -> list[Path]:
    """What its tokenizer is made of; which class opens the files may rest on the model's configuration."""
    return [path for path in (folder / name for name in (*TOKENIZER_FILES, CONFIG)) if path.is_file()]


def card_text(folder: Path) -> str | None:
    """The base's model card, if it has one."""
    path = folder / _CARD
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None


def weights_digest(folder: Path) -> str:
    """One digest over configuration and weights: what a training that continues from them depends on."""
    return digest_of({path.name: file_digest(path)[0] for path in _weight_files(folder)})


def _weight_files(folder: Path) -> list[Path]:
    """Configuration, weights and, where they are parted, their index."""
    index = folder / INDEX
    if not index.is_file():
        return [folder / CONFIG, folder / WEIGHTS]
    named = set(_json(index).get("weight_map", {}).values())
    strange = sorted(name for name in named if Path(name).name != name or not name.endswith(".safetensors"))
    if strange or not named:
        raise BaseModelError(
            f"{index}: weight_map names {', '.join(strange) or 'no file'}; {_NOTHING}. It must name safetensors files "
            "in the same folder."
        )
    return [folder / CONFIG, index, *(folder / name for name in sorted(named))]


def _json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError) as fault:
        raise BaseModelError(f"{path}: not readable ({fault}); {_NOTHING}. Restore the file.") from fault


def shape_of(folder: Path, model: ModelSettings) -> Shape:
    """The base's figures, with the sequence length of ``model``; ``vocabulary_size`` counts its embedding's rows.

    Raises:
        BaseModelError: an architecture that is not supported, or ``model`` says otherwise than the base.
    """
    config = _config(folder)
    shape = Shape(
        depth=config.num_hidden_layers,
        width=config.hidden_size,
        heads=config.num_attention_heads,
        key_value_heads=config.num_key_value_heads,
        feed_forward=config.intermediate_size,
        sequence_length=model.sequence_length,
        vocabulary_size=config.vocab_size,
        architecture=_SHAPED[config.model_type],
        head_dimension=getattr(config, "head_dim", None),
        rope_theta=float(config.rope_parameters["rope_theta"]),
        tied=bool(config.tie_word_embeddings),
    )
    _refuse_other_figures(shape, model)
    _refuse_longer(config, model.sequence_length)
    return shape


def _config(folder: Path) -> Any:
    """The base's configuration; one that asks for code of its own is never opened."""
    raw = _json(folder / CONFIG)
    kind, custom = raw.get("model_type"), raw.get("auto_map") or _json(folder / "tokenizer_config.json").get("auto_map")
    if custom:
        raise BaseModelError(
            f"{folder}: this base model brings code of its own (auto_map), which is not run; {_NOTHING}."
        )
    if kind not in _SHAPED:
        raise BaseModelError(
            f"{folder / CONFIG}: model_type is {kind!r}; {_NOTHING}. Supported are {', '.join(sorted(_SHAPED))}."
        )
    if raw.get("attention_bias") or raw.get("mlp_bias") or raw.get("quantization_config"):
        raise BaseModelError(
            f"{folder / CONFIG}: models with biases or quantised weights are not supported as a base; {_NOTHING}."
        )
    from transformers import AutoConfig

    return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def _refuse_other_figures(shape: Shape, model: ModelSettings) -> None:
    for name in sorted(model.model_fields_set - {"sequence_length"}):
        given, own = getattr(model, name), shape.head if name == "head_dimension" else getattr(shape, name, None)
        if given is not None and given != own:
            raise BaseModelError(
                f"model.{name}: {given} is not the base model's {own}; {_NOTHING}. Leave the key out: the shape is the "
                "base's."
            )


def _refuse_longer(config: Any, length: int) -> None:
    """Positions beyond those that it knows, or attention beyond a window that nobody here applies."""
    layers = getattr(config, "layer_types", None) or []
    window = getattr(config, "sliding_window", None)
    windowed = window and ("sliding_attention" in layers or not layers)
    most = min(config.max_position_embeddings, window) if windowed else config.max_position_embeddings
    if length > most:
        raise BaseModelError(
            f"model.sequence_length: {length} tokens are more than the base model attends to ({most}); {_NOTHING}. "
            "Give a shorter one."
        )


def initial_model(job: TrainingJob, end_of_document: int, padding: int) -> Any:
    """The model that a job begins with: the base's weights in float32, or random ones.

    Raises:
        BaseModelError: the base is not the one that the job was made for, or not whole.
    """
    if job.base is None:
        return build_model(job.shape, end_of_document, padding, job.seed)
    folder = Path(job.base)
    if not folder.is_dir():
        raise BaseModelError(
            f"{folder}: the base model that this job continues from is not there; {_NOTHING}. Put it back, or run "
            "`herkomst run` with base_model.path naming where it is."
        )
    # One process looks for all: they read the same files, and a failed process ends the others.
    if os.environ.get("RANK", "0") == "0" and weights_digest(folder) != job.base_weights:
        raise BaseModelError(
            f"{folder}: holds other weights than those that this job continues from; {_NOTHING}. Restore them, or run "
            "`herkomst run` again to continue from what is there now."
        )
    return load_base(folder)


def load_base(folder: Path) -> Any:
    """Load a base model in float32; every weight must come from its files.

    Raises:
        BaseModelError: weights are missing, left over or of another size than the configuration says.
    """
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    _config(folder)
    logging.disable_progress_bar()
    try:
        model, told = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype="float32",
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError) as fault:
        raise BaseModelError(f"{folder}: no model could be loaded from it ({fault}); {_NOTHING}.") from fault
    wrong = {name: sorted(map(str, told[name])) for name in ("missing_keys", "unexpected_keys", "mismatched_keys")}
    if any(wrong.values()):
        found = "; ".join(f"{name.replace('_', ' ')}: {', '.join(keys[:5])}" for name, keys in wrong.items() if keys)
        raise BaseModelError(f"{folder}: its weights do not fit its configuration ({found}); {_NOTHING}. Restore them.")
    model.config.use_cache = False
    return model
