"""Special tokens by what they are for, whatever a tokenizer calls them.

A vocabulary trained here has names of its own (`training.tokenizer`); a base model's tokenizer has others, written down
beside it in ``special-tokens.json`` when it was taken over.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from licensing.canonical import canonical
from training.tokenizer import (
    END_OF_DOCUMENT,
    PADDING,
    SPECIAL_TOKENS,
    UNKNOWN,
    TokenizerError,
    load_fast,
    special_ids,
)

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True, slots=True)
class SpecialTokens:
    """The tokens that no text encodes to, with their ids; ``unknown`` is None where every text can be spelled."""

    end_of_document: str
    end_of_document_id: int
    padding: str
    padding_id: int
    unknown: str | None = None

    def write(self, folder: Path) -> None:
        """Keep them beside a tokenizer that has names of its own."""
        (folder / SPECIAL_TOKENS).write_bytes(canonical(asdict(self)))


def special_tokens(folder: Path, fast: Tokenizer | None = None) -> SpecialTokens:
    """Look up the special tokens of a run's tokenizer; ``fast`` is the one in ``folder``, if it is open already.

    Raises:
        TokenizerError: the file that names them cannot be read, or a token is missing.
    """
    path = folder / SPECIAL_TOKENS
    if not path.exists():
        ids = special_ids(fast or load_fast(folder))
        return SpecialTokens(END_OF_DOCUMENT, ids.end_of_document, PADDING, ids.padding, UNKNOWN)
    try:
        return SpecialTokens(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError) as fault:
        raise TokenizerError(
            f"{path}: not readable ({fault}); nothing was encoded. Make the tokenizer again."
        ) from fault


def vocabulary_size(tokenizer: Tokenizer) -> int:
    """One more than the largest id: a foreign vocabulary may leave ids out."""
    return max(tokenizer.get_vocab(with_added_tokens=True).values()) + 1
