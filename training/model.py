"""The model: a decoder from `transformers`, random weights, sizes from the dial; and the loss of its tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from training.settings import Shape

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
    torch.manual_seed(seed)
    model = architecture(config)
    with torch.no_grad():
        for matrix in (model.get_input_embeddings().weight, model.get_output_embeddings().weight):
            matrix[shape.vocabulary_size :] = 0
    return model


def document_positions(tokens: torch.Tensor, end_of_document: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Number the documents in each row and the places within them.

    An end-of-document token closes one document as a target and opens the next as an input, so that even a document's
    first token has something to be predicted from.

    Args:
        tokens: ids, shape [rows, L].
        end_of_document: the id that separates documents.

    Returns:
        Document numbers and positions, both of shape [rows, L].
    """
    import torch

    opens = tokens == end_of_document
    documents = opens.cumsum(dim=1)
    places = torch.arange(tokens.shape[1], device=tokens.device).expand_as(tokens)
    begins = torch.where(opens, places, 0).cummax(dim=1).values
    return documents, places - begins


def block_mask(documents: torch.Tensor) -> torch.Tensor:
    """Causal attention within a document only; bool, shape [rows, 1, L, L], True where attention is allowed."""
    import torch

    length = documents.shape[1]
    same = documents[:, :, None] == documents[:, None, :]
    causal = torch.ones(length, length, dtype=torch.bool, device=documents.device).tril()
    return (same & causal)[:, None]


def token_losses(model: Any, tokens: torch.Tensor, end_of_document: int, padding: int, mask: bool) -> torch.Tensor:
    """Negative log likelihood in nats of every token but each row's first; 0 at padding. Shape [rows, L - 1]."""
    import torch.nn.functional as functional

    extra: dict[str, torch.Tensor] = {}
    if mask:
        documents, positions = document_positions(tokens, end_of_document)
        extra = {"attention_mask": block_mask(documents), "position_ids": positions}
    logits = model(input_ids=tokens, **extra).logits[:, :-1]
    targets = tokens[:, 1:]
    flat = functional.cross_entropy(
        logits.reshape(-1, logits.shape[-1]).float(), targets.reshape(-1), ignore_index=padding, reduction="none"
    )
    return flat.view_as(targets)
