"""What of an existing model is used, what is refused, and that a job begins from its weights and no others."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.training.base_models import write_base
from tests.training.conftest import make_job
from training.base_model import BaseModelError, base_files, initial_model, load_base, shape_of, weights_digest
from training.settings import ModelSettings


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_base(tmp_path_factory.mktemp("base"))


@pytest.mark.parametrize("architecture", ["llama", "mistral", "qwen3", "olmo2"])
def test_the_shape_is_the_base_s_own(tmp_path: Path, architecture: str) -> None:
    folder = write_base(tmp_path, architecture=architecture, tie_word_embeddings=architecture == "qwen3")
    shape = shape_of(folder, ModelSettings(sequence_length=48))
    model = load_base(folder)
    assert shape.parameters == sum(weights.numel() for weights in model.parameters())
    assert (shape.depth, shape.width, shape.head, shape.sequence_length) == (2, 32, 16, 48)


def test_a_figure_of_the_model_section_may_repeat_the_base_and_not_change_it(base: Path) -> None:
    same = ModelSettings(depth=2, width=32, heads=2, key_value_heads=1, head_dimension=16, tied=False)
    assert shape_of(base, same.model_copy(update={"sequence_length": 64})).depth == 2
    with pytest.raises(BaseModelError, match=r"model\.depth: 3 is not the base model's 2"):
        shape_of(base, ModelSettings(depth=3, sequence_length=64))
    with pytest.raises(BaseModelError, match=r"model\.tied: True"):
        shape_of(base, ModelSettings(tied=True, sequence_length=64))


@pytest.mark.parametrize(
    ("architecture", "changes", "length", "told"),
    [
        ("llama", {"attention_bias": True}, 64, "biases"),
        ("llama", {}, 256, "more than the base model attends to"),
        ("mistral", {"sliding_window": 32}, 64, "attends to \\(32\\)"),
    ],
)
def test_what_would_train_another_model_is_refused(
    tmp_path: Path, architecture: str, changes: dict[str, Any], length: int, told: str
) -> None:
    folder = write_base(tmp_path, architecture=architecture, **changes)
    with pytest.raises(BaseModelError, match=f"{told}.*nothing was trained"):
        shape_of(folder, ModelSettings(sequence_length=length))


def test_an_architecture_that_is_not_known_is_refused(tmp_path: Path) -> None:
    folder = write_base(tmp_path)
    values = json.loads((folder / "config.json").read_bytes()) | {"model_type": "gpt2"}
    (folder / "config.json").write_text(json.dumps(values))
    with pytest.raises(BaseModelError, match=r"model_type is 'gpt2'.*llama, mistral, olmo2, qwen3"):
        shape_of(folder, ModelSettings(sequence_length=64))


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_code_of_its_own_is_never_run(tmp_path: Path, name: str) -> None:
    folder = write_base(tmp_path)
    values = json.loads((folder / name).read_bytes()) | {"auto_map": {"AutoConfig": "own.Own"}}
    (folder / name).write_text(json.dumps(values))
    with pytest.raises(BaseModelError, match="code of its own"):
        load_base(folder)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    folder = write_base(tmp_path)
    (folder / name).rename(folder / "pytorch_model.bin")
    with pytest.raises(BaseModelError, match=f"{name}: is missing"):
        base_files(folder)


def test_weights_that_are_not_whole_are_not_filled_up_with_random_ones(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = write_base(tmp_path)
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(BaseModelError, match=r"missing keys: model\.layers\.1\.mlp\.up_proj\.weight"):
        load_base(folder)


def test_weights_in_parts_are_all_used(tmp_path: Path, base: Path) -> None:
    whole = load_base(base)
    write_base(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    whole.save_pretrained(tmp_path, max_shard_size="60KB")
    names = {path.name for path in base_files(tmp_path)}
    assert "model.safetensors.index.json" in names and len([one for one in names if one.startswith("model-")]) > 1
    for name, weights in load_base(tmp_path).named_parameters():
        assert weights.equal(whole.get_parameter(name))
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(index.read_text().replace("model-00001", "../model-00001"))
    with pytest.raises(BaseModelError, match="same folder"):
        base_files(tmp_path)


def test_a_job_begins_from_the_weights_it_was_made_for(packed_folder: Path, tmp_path: Path, base: Path) -> None:
    job = make_job(packed_folder, tmp_path)
    ours = replace(job, base=str(base), base_weights=weights_digest(base))
    assert ours.digest() != job.digest() and ours.recipe() != job.recipe()
    assert initial_model(job, 1, 2).config.num_hidden_layers == 1
    model = initial_model(ours, 1, 2)
    assert model.get_output_embeddings().weight.equal(load_base(base).get_output_embeddings().weight)
    with pytest.raises(BaseModelError, match="other weights than those"):
        initial_model(replace(ours, base_weights="0" * 64), 1, 2)
    ours.write(tmp_path / "job.json")
    assert type(ours).read(tmp_path / "job.json") == ours
