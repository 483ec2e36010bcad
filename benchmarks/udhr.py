"""The Universal Declaration of Human Rights in further languages of Europe; see `training.parallel_text`."""

from __future__ import annotations

from training.parallel_text import NEIGHBOURS, OFFICIAL, REGIONAL, Declaration, declaration, declarations

__all__ = ["NEIGHBOURS", "OFFICIAL", "REGIONAL", "WITHOUT_LABEL", "Declaration", "declaration", "declarations"]

WITHOUT_LABEL = {
    "Asturian": "ast", "Corsican": "cos", "Francoprovençal": "oci_3", "Friulian": "fur", "German, Alsatian": "gsw1",
    "Low Saxon": "nds", "Manx": "glv", "Mirandese": "044", "Romansh": "roh_rumgr", "Sardinian": "src",
    "Scots": "sco", "Upper Sorbian": "hsb",
}  # fmt: skip
"""Languages of Europe that py3langid's model has no label for."""
