"""Weights in one file or in several, and configurations of every architecture, load from a release as they were."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.training.base_models import write_base
from training.base_model import load_base
from training.base_tokenizer import take_tokenizer
from training.release import ReleaseError, vllm_findings, write_model


@pytest.mark.parametrize(("architecture", "shard"), [("llama", "60KB"), ("olmo2", "1GB"), ("qwen3", "1GB")])
def test_a_release_holds_the_checkpoint_s_model(tmp_path: Path, architecture: str, shard: str) -> None:
    checkpoint, tokenizer, out = (tmp_path / name for name in ("checkpoint", "tokenizer", "out"))
    base = write_base(tmp_path / "base", architecture=architecture)
    model = load_base(base)
    for folder in (checkpoint, tokenizer, out):
        folder.mkdir()
    take_tokenizer(base, tokenizer)
    model.save_pretrained(checkpoint, max_shard_size=shard)
    config = json.loads((checkpoint / "config.json").read_bytes())
    del config["architectures"]  # a checkpoint of ours does not name the class
    (checkpoint / "config.json").write_text(json.dumps(config))
    write_model(checkpoint, tokenizer, out)
    released = load_base(out)
    for name, weights in model.named_parameters():
        assert weights.equal(released.get_parameter(name))
    written = json.loads((out / "config.json").read_bytes())
    assert written["architectures"] == [type(model).__name__] and written["dtype"] == "float32" and written["use_cache"]
    assert not (out / "special-tokens.json").exists()
    assert len(vllm_findings(out)) == 1  # heads of 16


def test_rows_that_are_no_token_are_never_written_and_no_path_of_the_base_is_told(tmp_path: Path) -> None:
    checkpoint, tokenizer, out = (tmp_path / name for name in ("checkpoint", "tokenizer", "out"))
    base = write_base(tmp_path / "base")
    for folder in (checkpoint, tokenizer, out):
        folder.mkdir()
    take_tokenizer(base, tokenizer)
    stated = json.loads((tokenizer / "tokenizer_config.json").read_bytes())
    private = {"name_or_path": "/scratch/us/model", "special_tokens_map_file": "~/cache/map.json"}
    (tokenizer / "tokenizer_config.json").write_text(json.dumps(stated | private))
    model = load_base(base)
    rows = model.config.vocab_size
    model.config.used_vocabulary = rows - 3
    model.save_pretrained(checkpoint)
    write_model(checkpoint, tokenizer, out)
    generation = json.loads((out / "generation_config.json").read_bytes())
    assert generation["suppress_tokens"] == [rows - 3, rows - 2, rows - 1]
    assert any(finding.startswith("3 rows of its embedding") for finding in vllm_findings(out))
    assert json.loads((out / "tokenizer_config.json").read_bytes()) == {
        name: value for name, value in stated.items() if value != str(base)
    }


def test_a_checkpoint_without_weights(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="nothing was released"):
        write_model(tmp_path, tmp_path, tmp_path / "out")
