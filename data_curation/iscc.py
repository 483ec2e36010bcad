"""The International Standard Content Code (ISO 24138:2024) of a document, so that a publisher knows its own again.

The composite ISCC-CODE of three units, 64 bits each, made by ``iscc-core`` (Apache-2.0), the reference implementation:
Text-Code over the text as read, before any curation (for JSON lines the value of the text column, for HTML and XML the
text taken out of the markup); Data-Code and Instance-Code over the received bytes, those whose SHA-256 the ledger holds
(a file as it came; of JSON lines one line without its newline; of tables the canonical JSON of the mapped columns).
Similar texts have similar Text-Codes; the Instance-Code changes with any byte.
"""

from __future__ import annotations

import io


def iscc_code(text: str, data: bytes) -> str:
    """Return ``ISCC:…`` for a text and its received bytes; about 0.5 MB of text a second."""
    # Loaded only where a source asks for it: most runs need no ISCC.
    import iscc_core

    units = [
        iscc_core.gen_text_code_v0(text, bits=64)["iscc"],
        iscc_core.gen_data_code_v0(io.BytesIO(data), bits=64)["iscc"],
        iscc_core.gen_instance_code_v0(io.BytesIO(data), bits=64)["iscc"],
    ]
    return str(iscc_core.gen_iscc_code_v0(units)["iscc"])
