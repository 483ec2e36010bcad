"""Attention within documents only: three ways to compute the same thing, and the choice between them.

``block-mask``: rows stay rows, and a boolean mask forbids what lies in another document. Runs everywhere; the time and
    memory of all L x L scores are spent.
``varlen``: all rows of a micro-batch become one long row, and the kernel is told where each document begins, so that
    forbidden scores are never computed. On a GPU this is the flash kernel that comes with torch
    (`torch.nn.attention.varlen`), or FlashAttention-3 where its package is installed on a Hopper card; on a CPU one
    call a document.
``flex``: torch's FlexAttention, compiled, with a sparse block mask; for a GPU without bf16 or a flash kernel.

What the kernels need is worked out where the tokens lie. Hand tokens over on the CPU, and no step waits for the device.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from licensing.errors import HerkomstError
from training.kernels import flex, varlen
from training.settings import Attention

if TYPE_CHECKING:
    import torch

# Under these names `transformers` finds our functions; "sdpa" is its own, which takes the block mask.
_IN_TRANSFORMERS = {"block-mask": "sdpa", "varlen": "herkomst-varlen", "flex": "herkomst-flex"}
# Widest head that the flash kernels take.
_WIDEST_HEAD = 256


def set_attention(model: Any, wanted: Attention, device: torch.device, precision: str) -> str:
    """Let the model attend by ``wanted``; call it on the plain model, before it is compiled or wrapped.

    ``auto`` is ``block-mask`` on a CPU and elsewhere off CUDA; on CUDA ``varlen``, or ``flex`` where the flash kernel
    cannot run.

    Returns:
        The way chosen, in words for the log.

    Raises:
        HerkomstError: ``wanted`` cannot run here.
    """
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    config = model.config
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    hindrance = {
        "block-mask": "",
        "varlen": _against_varlen(device, precision, head),
        "flex": "" if device.type == "cuda" else f"FlexAttention cannot compute gradients on {device.type}",
    }
    chosen: str = wanted
    if wanted == "auto":
        chosen = "block-mask" if device.type != "cuda" else "flex" if hindrance["varlen"] else "varlen"
    if hindrance[chosen]:
        raise HerkomstError(
            f"training.attention: {chosen} cannot run here: {hindrance[chosen]}. Nothing was trained. "
            "Choose auto or block-mask."
        )
    ALL_ATTENTION_FUNCTIONS.register(_IN_TRANSFORMERS["varlen"], varlen)
    ALL_ATTENTION_FUNCTIONS.register(_IN_TRANSFORMERS["flex"], flex)
    model.set_attn_implementation(_IN_TRANSFORMERS[chosen])
    return chosen + (_flash_kernel(device) if chosen == "varlen" else "")


def _against_varlen(device: torch.device, precision: str, head: int) -> str:
    """Why ``varlen`` cannot run, or nothing."""
    import torch

    if device.type == "cpu":
        return ""
    if device.type != "cuda":
        return f"there is no flash kernel for {device.type}"
    if precision != "bf16":
        return f"the flash kernel computes in bf16, and training.precision is {precision}"
    if torch.version.hip is None and torch.cuda.get_device_capability(device) < (8, 0):
        return "the flash kernel needs compute capability 8.0"
    return f"the flash kernel takes heads up to {_WIDEST_HEAD}, not {head}" if head > _WIDEST_HEAD else ""


def _flash_kernel(device: torch.device) -> str:
    """Take FlashAttention-3 where it is installed on a Hopper card; says which kernel runs."""
    from importlib.util import find_spec

    import torch

    if device.type != "cuda":
        return ", one call a document"
    hopper = torch.version.hip is None and torch.cuda.get_device_capability(device)[0] == 9
    if hopper and find_spec("flash_attn_interface"):
        torch.nn.attention.activate_flash_attention_impl("FA3")
        return ", FlashAttention-3"
    return ", the flash kernel of torch"


def plain_model(model: Any) -> Any:
    """The model inside the wrappers of DDP, DeepSpeed and accelerate."""
    while hasattr(model, "module"):
        model = model.module
    return model


def document_inputs(model: Any, tokens: torch.Tensor, end_of_document: int) -> dict[str, Any]:
    """What to call the model with so that no document sees another, in the way that :func:`set_attention` chose.

    Args:
        model: plain or wrapped.
        tokens: ids, shape [rows, L].
        end_of_document: the id that separates documents.

    Returns:
        Named arguments; ids have the shape [rows, L], or [1, rows x L] for ``varlen``.

    Raises:
        HerkomstError: the model sees less than a whole row, which none of the three ways knows of.
    """
    config = plain_model(model).config
    window = getattr(config, "sliding_window", None)
    if window is not None and window < tokens.shape[1]:
        raise HerkomstError(
            f"training.document_mask: the model attends over a window of {window} tokens, and rows have "
            f"{tokens.shape[1]}; the mask would widen it. Nothing of this step was trained. "
            "Shorten model.sequence_length to the window, or set document_mask: false."
        )
    documents, positions = document_positions(tokens, end_of_document)
    implementation = config._attn_implementation
    if implementation == _IN_TRANSFORMERS["varlen"]:
        starts, longest = document_starts(positions), tokens.shape[1]
        lengths = {"cu_seq_lens_q": starts, "cu_seq_lens_k": starts, "max_length_q": longest, "max_length_k": longest}
        return {"input_ids": tokens.reshape(1, -1), "position_ids": positions.reshape(1, -1), **lengths}
    mask = sparse_mask if implementation == _IN_TRANSFORMERS["flex"] else block_mask
    device = plain_model(model).device
    return {"input_ids": tokens, "position_ids": positions, "attention_mask": mask(documents.to(device))}


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


def document_starts(positions: torch.Tensor) -> torch.Tensor:
    """Where each document begins in the rows laid end to end, and where the last one ends; int32, shape [2^n].

    Filled up with the end to a power of two, which the kernel reads as documents without tokens: a length that changed
    with every batch would make a compiled model compile again and again.

    Args:
        positions: of :func:`document_positions`, shape [rows, L].
    """
    import torch

    begins = (positions.reshape(-1) == 0).nonzero().reshape(-1)
    size = 1 << len(begins).bit_length()
    starts = torch.full((size,), positions.numel(), dtype=torch.int32, device=positions.device)
    starts[: len(begins)] = begins.to(torch.int32)
    return starts


def sparse_mask(documents: torch.Tensor) -> Any:
    """The block mask as FlexAttention takes it, from document numbers of shape [rows, L]."""
    from torch.nn.attention.flex_attention import create_block_mask

    def allowed(row: Any, head: Any, query: Any, key: Any) -> Any:
        return (query >= key) & (documents[row, query] == documents[row, key])

    rows, length = documents.shape
    return create_block_mask(allowed, rows, None, length, length, device=documents.device)
