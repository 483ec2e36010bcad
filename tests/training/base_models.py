"""A tiny base model as others publish theirs: random Llama weights, a byte-level tokenizer with names of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.training.conftest import texts

CARD = "---\nlicense: {licence}\n---\n# Tiny base\n"


def write_base(folder: Path, licence: str = "apache-2.0", architecture: str = "llama", **changes: Any) -> Path:
    """Write a model of about 30,000 parameters with its tokenizer, card and licence text."""
    import torch
    import transformers

    folder.mkdir(parents=True, exist_ok=True)
    size = write_byte_tokenizer(folder)
    values: dict[str, Any] = {
        "vocab_size": size + 3,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": 128,
        "tie_word_embeddings": False,
        "bos_token_id": 0,
        "eos_token_id": 1,
        "pad_token_id": None,
        "head_dim": 16,
    }
    kinds = {"llama": "Llama", "mistral": "Mistral", "qwen3": "Qwen3", "olmo2": "Olmo2"}
    kind = kinds[architecture]
    config = getattr(transformers, f"{kind}Config")(**(values | changes))
    torch.manual_seed(11)
    getattr(transformers, f"{kind}ForCausalLM")(config).save_pretrained(folder)
    (folder / "README.md").write_text(CARD.format(licence=licence), encoding="utf-8")
    (folder / "LICENSE").write_text("The terms of the tiny base.\n", encoding="utf-8")
    return folder


def write_byte_tokenizer(folder: Path, extra: tuple[str, ...] = (), **special: str) -> int:
    """Byte-level BPE whose only special tokens open and end a sequence; returns how many ids it has."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=["<s>", "</s>", *special.values(), *extra],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts("nl", 40) + texts("en", 40), trainer)
    # As published models do: a text opens with <s>, unless the caller asks otherwise.
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", **special).save_pretrained(
        folder
    )
    return tokenizer.get_vocab_size()
