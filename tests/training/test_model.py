"""The model: sizes on the dial, losses of tokens, and documents that do not see each other, whichever way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import MethodType
from typing import Any

import numpy as np
import pytest
import torch

from licensing.errors import HerkomstError
from training.attention import document_positions, document_starts, set_attention
from training.compilation import compile_layers
from training.kernels import flex, varlen
from training.losses import IGNORED, losses
from training.model import build_model, make_ready, token_losses, trim_vocabulary, used_vocabulary
from training.numerics import check_precision, set_numerics
from training.settings import (
    Architecture,
    Attention,
    ModelSettings,
    SegmentSettings,
    Shape,
    TrainingSettings,
    resolve_shape,
)

CPU = torch.device("cpu")
END, PADDING, VOCABULARY = 1, 2, 400
SMALL = Shape(2, 32, 2, 2, 64, 64, VOCABULARY)
MAIN = SegmentSettings(name="main", steps=1)
ARCHITECTURES: tuple[Architecture, ...] = ("llama", "olmo2", "qwen3")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    set_numerics(1)
    yield


def rows(count: int, length: int = 64) -> Any:
    """Random ids, cut into documents of about ten tokens."""
    random = np.random.Generator(np.random.PCG64(count))
    ids = random.integers(3, VOCABULARY, (count, length))
    ids[random.random((count, length)) < 0.1] = END
    return torch.from_numpy(ids)


def nats_of(model: Any, tokens: Any, mask: bool = True) -> Any:
    return token_losses(model, tokens, torch.ones_like(tokens[:, 1:], dtype=torch.bool), END, mask)[0]


def gradients(model: Any, loss: Any) -> list[Any]:
    model.zero_grad()
    loss.backward()
    return [parameter.grad.clone() for parameter in model.parameters()]


def copies(model: Any, mask: bool = True) -> tuple[Any, Any]:
    """Losses of the first and of the second copy of a document, in the second of two rows."""
    document = [END, *range(50, 70)]
    size = len(document)
    other = [END, *range(80, 80 + 3 * size - 1)]
    found = nats_of(model, torch.tensor([other, 3 * document], device=model.device), mask)[1]
    return found[: size - 1], found[size : 2 * size - 1]


# ---- sizes


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("tied", [True, False])
def test_the_count_of_parameters_is_the_models(architecture: Architecture, tied: bool) -> None:
    asked = ModelSettings(
        depth=2, width=48, heads=4, key_value_heads=2, head_dimension=16, tied=tied, architecture=architecture
    )
    for multiple in (1, 128):
        shape = resolve_shape(asked.model_copy(update={"vocabulary_multiple": multiple}), 300)
        model = build_model(shape, END, PADDING, 0)
        assert shape.parameters == sum(parameter.numel() for parameter in model.parameters())
        assert (model.config.head_dim, model.config.vocab_size) == (16, 300 if multiple == 1 else 384)


def test_heads_that_do_not_divide_the_width_are_refused_unless_their_width_is_given() -> None:
    with pytest.raises(ValueError, match="head_dimension"):
        resolve_shape(ModelSettings(depth=1, width=50, heads=4), 300)
    assert resolve_shape(ModelSettings(depth=1, width=50, heads=4, head_dimension=12), 300).head == 12


def test_the_base_of_the_positions_reaches_the_model() -> None:
    model = build_model(replace(SMALL, rope_theta=5e5), END, PADDING, 0)
    assert model.config.rope_parameters["rope_theta"] == 5e5
    other = build_model(SMALL, END, PADDING, 0)
    assert not torch.equal(nats_of(model, rows(1)), nats_of(other, rows(1)))


def test_unused_rows_matter_to_nothing(tmp_path: Path) -> None:
    """Neither to the loss nor to its gradients, they learn nothing, and they are cut off before anyone generates."""
    model = build_model(replace(SMALL, vocabulary_multiple=128), END, PADDING, 0)
    exact = build_model(SMALL, END, PADDING, 0)
    exact.load_state_dict({name: value[:VOCABULARY] for name, value in model.state_dict().items()})
    wanted = nats_of(exact, rows(2))
    assert torch.allclose(nats_of(model, rows(2)), wanted, atol=1e-5)
    with torch.no_grad():
        model.get_input_embeddings().weight[VOCABULARY:] = 9
    nats = nats_of(model, rows(2))
    assert torch.allclose(nats, wanted, atol=1e-5)
    nats.sum().backward()
    assert not model.get_input_embeddings().weight.grad[VOCABULARY:].any()
    model.save_pretrained(tmp_path)
    again = type(model).from_pretrained(tmp_path)
    assert used_vocabulary(again) == VOCABULARY
    trim_vocabulary(again)
    assert again(input_ids=rows(1)).logits.shape[-1] == VOCABULARY == again.config.vocab_size
    assert torch.allclose(nats_of(again, rows(2)), wanted, atol=1e-5)


# ---- losses


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("z_loss", [0.0, 1e-2])
def test_losses_and_penalty_are_the_definitions(kind: Any, z_loss: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Against the textbook sum in double precision, values and gradients, with chunks that do not divide evenly."""
    monkeypatch.setattr("training.losses._MOST_LOGITS", 50 * 5)
    generator = torch.Generator().manual_seed(0)
    logits = (torch.randn(23, 50, generator=generator) * 4).to(kind).requires_grad_()
    targets = torch.randint(0, 50, (23,), generator=generator)
    targets[[0, 7, 22]] = IGNORED
    weights = torch.rand(23, generator=generator)
    nats, penalty = losses(logits, targets, z_loss, compiled=False)
    ((nats * weights).sum() + penalty).backward()

    exact = logits.detach().double().requires_grad_()
    counts = targets != IGNORED
    sums = exact.exp().sum(dim=-1).log()
    expected = torch.where(counts, sums - exact[torch.arange(23), targets.clamp_min(0)], 0.0)
    wanted_penalty = z_loss * (sums**2)[counts].sum()
    ((expected * weights).sum() + wanted_penalty).backward()
    assert nats.dtype == penalty.dtype == torch.float32
    assert torch.allclose(nats.double(), expected, atol=1e-5)
    assert penalty.item() == pytest.approx(wanted_penalty.item(), rel=1e-5)
    assert logits.grad is not None and exact.grad is not None
    assert torch.allclose(logits.grad.double(), exact.grad, atol=1e-6 if kind == torch.float32 else 5e-3)


def test_what_is_not_scored_costs_nothing_and_teaches_nothing() -> None:
    model, tokens = build_model(SMALL, END, PADDING, 0), rows(2)
    scored = torch.rand(2, 63, generator=torch.Generator().manual_seed(1)) < 0.5
    some, penalty = token_losses(model, tokens, scored, END, True, z_loss=1e-4)
    everything = nats_of(model, tokens)
    assert torch.equal(some, torch.where(scored, everything, 0.0)) and penalty > 0
    nothing, penalty = token_losses(model, tokens, torch.zeros_like(scored), END, True, z_loss=1e-4)
    assert not any(gradient.any() for gradient in gradients(model, nothing.sum() + penalty))


# ---- documents


def test_documents_begin_at_row_starts_and_ends_of_document() -> None:
    tokens = torch.tensor([[5, 6, END, 7, 8], [END, 9, 9, 9, END]])
    documents, positions = document_positions(tokens, END)
    assert documents.tolist() == [[0, 0, 1, 1, 1], [1, 1, 1, 1, 2]]
    assert positions.tolist() == [[0, 1, 0, 1, 2], [0, 1, 2, 3, 0]]
    assert document_starts(positions).tolist() == [0, 2, 5, 9, 10, 10, 10, 10]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("attention", ["auto", "block-mask", "varlen"])
def test_documents_in_one_row_do_not_see_each_other(architecture: Architecture, attention: Attention) -> None:
    """The second copy of a document must cost as much as the first: were it seen, it would be cheaper."""
    model = build_model(replace(SMALL, architecture=architecture, key_value_heads=1), END, PADDING, 0)
    set_attention(model, attention, CPU, "fp32")
    first, second = copies(model)
    assert torch.allclose(first, second, atol=1e-5)
    first, second = copies(model, mask=False)
    assert not torch.allclose(first, second, atol=1e-5)


@pytest.mark.filterwarnings("ignore:flex_attention called without")
def test_flex_computes_the_same_where_no_gradient_is_asked_for() -> None:
    model = build_model(replace(SMALL, key_value_heads=1), END, PADDING, 0)
    wanted = nats_of(model, rows(3))
    with pytest.raises(HerkomstError, match="FlexAttention cannot compute gradients on cpu"):
        set_attention(model, "flex", CPU, "fp32")
    set_attention(model, "auto", CPU, "fp32")
    model.set_attn_implementation("herkomst-flex")
    with torch.no_grad():
        assert torch.allclose(nats_of(model, rows(3)), wanted, atol=1e-5)
        first, second = copies(model)
    assert torch.allclose(first, second, atol=1e-5)


def test_varlen_learns_what_the_block_mask_learns() -> None:
    model = build_model(replace(SMALL, key_value_heads=1), END, PADDING, 0)
    wanted = gradients(model, nats_of(model, rows(3)).sum())
    assert set_attention(model, "varlen", CPU, "fp32") == "varlen, one call a document"
    for found, gradient in zip(gradients(model, nats_of(model, rows(3)).sum()), wanted, strict=True):
        assert torch.allclose(found, gradient, atol=1e-4)


@pytest.mark.parametrize("attention", ["block-mask", "varlen"])
def test_a_window_narrower_than_a_row_is_refused(attention: Attention) -> None:
    """Under a mask of documents the window of such a base model would be forgotten."""
    from transformers import MistralConfig, MistralForCausalLM

    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = MistralConfig(vocab_size=VOCABULARY, num_key_value_heads=2, sliding_window=64, **sizes)
    model = MistralForCausalLM(config)
    set_attention(model, attention, CPU, "fp32")
    first, second = copies(model)
    assert torch.allclose(first, second, atol=1e-5)
    with pytest.raises(HerkomstError, match="a window of 64 tokens, and rows have 65"):
        nats_of(model, rows(1, 65))


def test_scores_that_a_kernel_would_leave_out_are_refused() -> None:
    heads = torch.zeros(1, 2, 4, 8)
    for function in (varlen, flex):
        with pytest.raises(HerkomstError, match="attention has softcap, which"):
            function(None, heads, heads, heads, None, softcap=30.0)


def test_a_saved_model_does_not_name_our_attention(tmp_path: Path) -> None:
    model = build_model(SMALL, END, PADDING, 0)
    set_attention(model, "varlen", CPU, "fp32")
    model.save_pretrained(tmp_path)
    assert "herkomst" not in (tmp_path / "config.json").read_text(encoding="utf-8")


def test_what_cannot_run_on_a_card_is_refused_and_auto_goes_round_it(monkeypatch: pytest.MonkeyPatch) -> None:
    model, card = build_model(SMALL, END, PADDING, 0), torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (7, 0))
    with pytest.raises(HerkomstError, match=r"computes in bf16, and training.precision is fp32"):
        set_attention(model, "varlen", card, "fp32")
    with pytest.raises(HerkomstError, match=r"needs compute capability 8.0"):
        set_attention(model, "varlen", card, "bf16")
    assert set_attention(model, "auto", card, "bf16") == "flex"
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (8, 0))
    assert set_attention(model, "auto", card, "bf16") == "varlen, the flash kernel of torch"
    assert set_attention(model, "auto", card, "fp32") == "flex"


# ---- precision and compilation


def test_bf16_is_refused_on_a_card_without_it_and_said_where_it_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "An Old Card")
    with pytest.raises(HerkomstError, match="An Old Card has no bf16"):
        check_precision("bf16", torch.device("cuda"))
    assert check_precision("fp32", torch.device("cuda")) == "fp32, without TF32"
    assert check_precision("bf16", CPU).startswith("bf16")


def test_a_wrapper_that_raises_outputs_to_float32_is_handed_losses_and_no_logits() -> None:
    """As accelerate does in bf16: raised logits would be the largest tensor of all."""
    from accelerate.utils import convert_outputs_to_fp32

    model, settings = build_model(SMALL, END, PADDING, 0), TrainingSettings(segments=[MAIN], precision="bf16")
    wanted = nats_of(model, rows(2))
    assert make_ready(model, settings)[0] == "attention: block-mask"
    returned: list[Any] = []
    forward = torch.autocast("cpu", torch.bfloat16)(model.forward.__func__)

    def spying(*arguments: Any, **inputs: Any) -> Any:
        returned.append(forward(*arguments, **inputs))
        return returned[-1]

    model.forward = MethodType(convert_outputs_to_fp32(spying), model)
    found, penalty = token_losses(model, rows(2), torch.ones(2, 63, dtype=torch.bool), END, True, z_loss=1e-4)
    assert torch.allclose(found, wanted, atol=0.05) and penalty > 0
    assert [part.shape for part in returned[0]] == [(128,), ()]
    assert model(input_ids=rows(2)).logits.shape == (2, 64, VOCABULARY)


def test_made_ready_a_model_learns_the_same_to_the_bit() -> None:
    model, plain = (build_model(SMALL, END, PADDING, 0) for _ in range(2))
    make_ready(model, TrainingSettings(segments=[MAIN]))
    mine, theirs = (gradients(one, nats_of(one, rows(3)).sum()) for one in (model, plain))
    assert all(torch.equal(one, other) for one, other in zip(mine, theirs, strict=True))


def test_bf16_trains_on_the_same_losses() -> None:
    model = build_model(SMALL, END, PADDING, 0)
    wanted = nats_of(model, rows(2))
    with torch.autocast("cpu", torch.bfloat16):
        for attention in ("block-mask", "varlen"):
            set_attention(model, attention, CPU, "bf16")  # type: ignore[arg-type]
            found = nats_of(model, rows(2))
            assert found.dtype == torch.float32 and torch.allclose(found, wanted, atol=0.05)
            found.sum().backward()


def test_a_machine_that_cannot_compile_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_compiler(_: Any) -> Any:
        raise RuntimeError("No working C++ compiler found")

    monkeypatch.setattr(torch, "compile", no_compiler)
    with pytest.raises(HerkomstError, match=r"cannot compile for cpu here \(No working C\+\+ compiler found\)"):
        compile_layers(build_model(SMALL, END, PADDING, 0), CPU, True)


def test_a_model_without_a_list_of_layers_is_not_compiled_in_part() -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    model = GPT2LMHeadModel(GPT2Config(vocab_size=VOCABULARY, n_embd=32, n_layer=1, n_head=2))
    with pytest.raises(HerkomstError, match="GPT2LMHeadModel has no list of layers"):
        compile_layers(model, CPU, True)
    assert nats_of(model, rows(1), mask=False).shape == (1, 63)


@pytest.mark.slow
@pytest.mark.parametrize("attention", ["block-mask", "varlen"])
def test_compiled_is_the_same_model(attention: Attention) -> None:
    """Equal losses and gradients within rounding, the same bits each time, whatever shapes came between."""
    model = build_model(SMALL, END, PADDING, 0)
    names = [name for name, _ in model.named_parameters()]
    set_attention(model, attention, CPU, "fp32")
    wanted_nats, wanted = nats_of(model, rows(4)), gradients(model, nats_of(model, rows(4)).sum())
    compile_layers(model, CPU, True)
    nats, found = nats_of(model, rows(4)), gradients(model, nats_of(model, rows(4)).sum())
    assert torch.allclose(nats, wanted_nats, atol=1e-4)
    assert all(torch.allclose(one, other, atol=1e-3) for one, other in zip(found, wanted, strict=True))
    assert nats_of(model, rows(2)).shape == (2, 63)
    again = gradients(model, nats_of(model, rows(4)).sum())
    assert all(torch.equal(one, other) for one, other in zip(found, again, strict=True))
    assert [name for name, _ in model.named_parameters()] == names
    first, second = copies(model)
    assert torch.allclose(first, second, atol=1e-5)


# ---- on a card


@pytest.mark.gpu
@pytest.mark.parametrize(("attention", "precision"), [("varlen", "bf16"), ("flex", "bf16"), ("flex", "fp32")])
@pytest.mark.parametrize("compiled", [False, True])
def test_on_a_card_documents_do_not_leak_and_bits_repeat(attention: Attention, precision: str, compiled: bool) -> None:
    card = torch.device("cuda")
    model = build_model(Shape(2, 128, 2, 1, 256, 64, VOCABULARY), END, PADDING, 0).to(card)
    set_attention(model, "block-mask", card, "fp32")
    wanted = nats_of(model, rows(4))
    set_attention(model, attention, card, precision)
    if compiled:
        compile_layers(model, card, True)
    close = 1e-4 if precision == "fp32" else 0.05
    with torch.autocast("cuda", torch.bfloat16, enabled=precision == "bf16"):
        assert torch.allclose(nats_of(model, rows(4)), wanted, atol=close)
        first, second = copies(model)
        # Bits need not be equal: the kernel cuts its tiles elsewhere. A leak is a hundred times larger.
        assert torch.allclose(first, second, atol=close)
        once, twice = (gradients(model, nats_of(model, rows(4)).sum()) for _ in range(2))
    assert all(torch.equal(one, other) for one, other in zip(once, twice, strict=True))


@pytest.mark.gpu
def test_on_a_card_losses_of_bf16_logits_are_the_definition() -> None:
    logits = (torch.randn(4096, 1000, device="cuda") * 4).bfloat16()
    targets = torch.randint(0, 1000, (4096,), device="cuda")
    for compiled in (False, True):
        ours, theirs = logits.clone().requires_grad_(), logits.double().requires_grad_()
        nats, _ = losses(ours, targets, 0.0, compiled)
        expected = torch.nn.functional.cross_entropy(theirs, targets, reduction="none")
        assert torch.allclose(nats.double(), expected, atol=1e-4)
        nats.sum().backward()
        expected.sum().backward()
        assert torch.allclose(ours.grad.double(), theirs.grad, atol=5e-3)
