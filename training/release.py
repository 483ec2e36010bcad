"""The model's own files of a release: weights, configuration and tokenizer as `transformers` and vLLM load them."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from licensing.errors import HerkomstError
from training.base_model import CONFIG, INDEX, TOKENIZER_FILES
from training.base_tokenizer import load_auto
from training.special_tokens import special_tokens
from training.tokenizer import load_fast

_SENTENCEPIECE = "tokenizer.model"
_PROBES = ("", "De haven ligt stil.\n\n 12 345", "naïve ŝtrato ßüd Ελλάδα 🙂", "\ta  b\r\n c\u200d\u00a0d")

_ABSOLUTE = re.compile(r"(~|file:/)?/[\w.]|[A-Za-z]:[\\/]")

_CLASSES = {
    "llama": "LlamaForCausalLM",
    "mistral": "MistralForCausalLM",
    "olmo2": "Olmo2ForCausalLM",
    "qwen3": "Qwen3ForCausalLM",
}
VLLM_ARCHITECTURES = frozenset(_CLASSES.values())
"""All four are in vLLM's list of supported models."""

VLLM_HEAD_SIZES = (32, 64, 96, 128, 160, 192, 224, 256)
"""Widths of an attention head that vLLM's FlashAttention backend takes (its documentation, 0.9 to 0.10)."""


class ReleaseError(HerkomstError):
    """A model that cannot be released as it stands."""


def weight_files(checkpoint: Path) -> list[Path]:
    """The weights of a checkpoint: one file, or several with their index.

    Raises:
        ReleaseError: there are none.
    """
    found = sorted(checkpoint.glob("model*.safetensors"))
    if not found:
        raise ReleaseError(f"{checkpoint}: holds no safetensors weights; nothing was released. Train again.")
    return [*found, *(path for path in [checkpoint / INDEX] if path.is_file())]


def write_model(checkpoint: Path, tokenizer: Path, folder: Path) -> None:
    """Copy weights and tokenizer into ``folder`` and write the configuration for use instead of training.

    Raises:
        ReleaseError: `transformers` would not give the ids that the model was trained with.
    """
    for path in weight_files(checkpoint):
        shutil.copyfile(path, folder / path.name)
    config = _for_use(json.loads((checkpoint / CONFIG).read_bytes()), weight_files(checkpoint)[0])
    _write_json(folder / CONFIG, config)
    special = special_tokens(tokenizer)
    ids = {"eos_token_id": special.end_of_document_id, "pad_token_id": special.padding_id}
    never = {"suppress_tokens": unused} if (unused := _unused_rows(config)) else {}
    _write_json(folder / "generation_config.json", ids | {"bos_token_id": config.get("bos_token_id")} | never)
    for name in (*TOKENIZER_FILES, _SENTENCEPIECE):
        if (tokenizer / name).is_file():
            shutil.copyfile(tokenizer / name, folder / name)
    _without_paths(folder / "tokenizer_config.json")
    _refuse_other_ids(tokenizer, folder)


def _for_use(config: dict[str, Any], weights: Path) -> dict[str, Any]:
    """A training's configuration made complete: vLLM goes by the class's name, and both by the type of the weights."""
    kind = config.get("model_type")
    if kind not in _CLASSES:
        raise ReleaseError(f"model_type is {kind!r}, which is not known here; nothing was released.")
    config.pop("_name_or_path", None)
    # The cache is off while training; without it every token is computed anew when text is written.
    return config | {"architectures": [_CLASSES[kind]], "dtype": _dtype(weights), "use_cache": True}


def _unused_rows(config: dict[str, Any]) -> list[int]:
    """Rows that fill the embedding up and are no token; their logit is 0, which is not the lowest there is."""
    return list(range(config.get("used_vocabulary", config["vocab_size"]), config["vocab_size"]))


def _without_paths(path: Path) -> None:
    """Take out where a base's maker kept its files (``name_or_path`` and others), which nobody reads."""
    values = json.loads(path.read_bytes()) if path.is_file() else {}
    private = [name for name, value in values.items() if isinstance(value, str) and _ABSOLUTE.match(value)]
    if private:
        _write_json(path, {name: value for name, value in values.items() if name not in private})


def _dtype(weights: Path) -> str:
    from safetensors import safe_open

    with safe_open(weights, framework="pt") as file:
        found = str(file.get_slice(next(iter(file.keys()))).get_dtype())
    return {"F32": "float32", "BF16": "bfloat16", "F16": "float16"}[found]


def _write_json(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _refuse_other_ids(tokenizer: Path, folder: Path) -> None:
    fast, special, auto = load_fast(tokenizer), special_tokens(tokenizer), load_auto(folder)
    for text in (*_PROBES, f"a {special.end_of_document} b {special.padding}"):
        own = fast.encode(text, add_special_tokens=False).ids
        if auto.encode(text, add_special_tokens=False, split_special_tokens=True) != own:
            raise ReleaseError(
                f"{folder.name}: `transformers` encodes {text!r} otherwise than the model was trained; nothing was "
                "released. Use the transformers version in constraints.txt, or make the tokenizer again."
            )


def vllm_findings(folder: Path) -> list[str]:
    """What stands against loading a release with vLLM, by its documented requirements; nothing if all are met.

    It is not run here: these are the requirements that can be read off the files.
    """
    config = json.loads((folder / CONFIG).read_bytes())
    architectures = config.get("architectures") or []
    head = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    found = []
    if not VLLM_ARCHITECTURES.intersection(architectures):
        found.append(f"its architecture ({', '.join(architectures) or 'not named'}) is not one known to be supported")
    if config.get("auto_map"):
        found.append("its configuration asks for code of its own")
    if head not in VLLM_HEAD_SIZES:
        sizes = ", ".join(map(str, VLLM_HEAD_SIZES))
        found.append(
            f"its attention heads are {head} wide, and the FlashAttention backend takes {sizes}; the slower "
            "FlexAttention backend takes any"
        )
    if unused := len(_unused_rows(config)):
        found.append(
            f"{unused} rows of its embedding are no token and only fill it up; transformers is told never to write "
            "them (suppress_tokens); vLLM goes by allowed_token_ids in each request"
        )
    found += [
        f"{name} is missing" for name in ("tokenizer.json", "tokenizer_config.json") if not (folder / name).exists()
    ]
    return found
