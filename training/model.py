"""The model: a decoder from `transformers`, random weights, sizes from the dial; and the loss of its tokens."""

from __future__ import annotations

from types import MethodType
from typing import TYPE_CHECKING, Any

from training.attention import document_inputs, plain_model, set_attention
from training.compilation import compile_layers, is_compiled
from training.numerics import check_precision
from training.settings import Shape, TrainingSettings

if TYPE_CHECKING:
    import torch


def build_model(shape: Shape, end_of_document: int, padding: int, seed: int) -> Any:
    """Make an untrained model; equal arguments give equal weights, whatever was computed before.

    Returns:
        A ``LlamaForCausalLM``, ``Olmo2ForCausalLM`` or ``Qwen3ForCausalLM``. Embedding rows that no token uses
        (``shape.vocabulary_multiple``) are zero, and stay so: the loss does not reach them.
    """
    import torch
    import transformers

    of_name = {
        "llama": (transformers.LlamaConfig, transformers.LlamaForCausalLM),
        "olmo2": (transformers.Olmo2Config, transformers.Olmo2ForCausalLM),
        "qwen3": (transformers.Qwen3Config, transformers.Qwen3ForCausalLM),
    }
    configuration, architecture = of_name[shape.architecture]
    config = configuration(
        vocab_size=shape.embedding_rows,
        hidden_size=shape.width,
        intermediate_size=shape.feed_forward,
        num_hidden_layers=shape.depth,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.key_value_heads,
        head_dim=shape.head,
        max_position_embeddings=shape.sequence_length,
        rope_parameters={"rope_type": "default", "rope_theta": shape.rope_theta},
        tie_word_embeddings=shape.tied,
        use_cache=False,
        bos_token_id=end_of_document,
        eos_token_id=end_of_document,
        pad_token_id=padding,
    )
    if shape.vocabulary_size < shape.embedding_rows:
        config.used_vocabulary = shape.vocabulary_size
    torch.manual_seed(seed)
    model = architecture(config)
    with torch.no_grad():
        for matrix in (model.get_input_embeddings().weight, model.get_output_embeddings().weight):
            matrix[shape.vocabulary_size :] = 0
    return model


def token_losses(
    model: Any, tokens: torch.Tensor, scored: torch.Tensor, end_of_document: int, mask: bool, z_loss: float = 0.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """Negative log likelihood in nats of every token but each row's first, and the z-loss penalty.

    Tokens that lie on the CPU are taken to the model's device; best so, because what attention must know of the
    documents is then worked out without waiting for the device.

    Args:
        model: plain, compiled or wrapped by a backend.
        tokens: ids, shape [rows, L].
        scored: bool, shape [rows, L - 1]; which targets count.
        end_of_document: the id that separates documents.
        mask: attend within documents only, in the way that ``attention.set_attention`` chose.
        z_loss: coefficient of the penalty.

    Returns:
        Nats in float32, shape [rows, L - 1], 0 where not scored; and the penalty summed over the scored tokens,
        already times ``z_loss``.
    """
    import torch

    from training.losses import IGNORED

    plain = plain_model(model)
    inputs = document_inputs(model, tokens, end_of_document) if mask else {"input_ids": tokens}
    targets = torch.full_like(tokens, IGNORED)
    targets[:, :-1] = torch.where(scored, tokens[:, 1:], IGNORED)
    moved = _taken_to(plain.device, inputs | {"targets": targets})
    if getattr(plain, "scores_tokens", False):
        nats, penalty = model(**moved, z_loss=z_loss)
    else:
        wanted = moved.pop("targets")
        nats, penalty = _scored(plain, model(**moved).logits, wanted, z_loss)
    return nats.view_as(tokens)[:, :-1].contiguous(), penalty


def make_ready(model: Any, settings: TrainingSettings) -> tuple[str, ...]:
    """Set up a plain model for training as the settings say; call it before a backend wraps the model.

    Returns:
        What was chosen, in words for the log: how attention and precision are computed.

    Raises:
        HerkomstError: attention, precision or compilation asked for cannot run here.
    """
    import torch

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    precision = check_precision(settings.precision, device)
    attention = set_attention(model, settings.attention, device, settings.precision)
    if settings.compile:
        compile_layers(model, device, settings.deterministic)
    # Wrappers raise all that a model returns to float32: what it returns had better not be the logits.
    model.forward = MethodType(_forward, model)
    model.scores_tokens = True
    return f"attention: {attention}", f"precision: {precision}"


def _forward(model: Any, *arguments: Any, targets: Any = None, z_loss: float = 0.0, **inputs: Any) -> Any:
    """The architecture's own forward, or, given targets, their losses."""
    output = type(model).forward(model, *arguments, **inputs)
    return output if targets is None else _scored(model, output.logits, targets, z_loss)


def _scored(plain: Any, logits: torch.Tensor, targets: torch.Tensor, z_loss: float) -> tuple[torch.Tensor, ...]:
    from training.losses import losses

    used = logits.reshape(-1, logits.shape[-1])[:, : used_vocabulary(plain)]
    return losses(used, targets.reshape(-1), z_loss, is_compiled(plain))


def _taken_to(device: torch.device, inputs: dict[str, Any]) -> dict[str, Any]:
    import torch

    return {name: _moved(one, device) if isinstance(one, torch.Tensor) else one for name, one in inputs.items()}


def _moved(values: torch.Tensor, device: torch.device) -> torch.Tensor:
    # From memory that is not pinned, the copy would wait until the device has done all it was given.
    if device.type == "cuda" and values.device.type == "cpu":
        values = values.pin_memory()
    return values.to(device, non_blocking=True)


def used_vocabulary(model: Any) -> int:
    """Rows of the embedding that a token uses; the rest only fills it up to a multiple."""
    return int(getattr(model.config, "used_vocabulary", model.config.vocab_size))


def trim_vocabulary(model: Any) -> None:
    """Cut the embedding to the rows that a token uses, so that nothing can be generated that is no token.

    For what leaves training: evaluation, and export for other programs.
    """
    if used_vocabulary(model) < model.config.vocab_size:
        model.resize_token_embeddings(used_vocabulary(model))
        del model.config.used_vocabulary
