"""Evaluation sets matched against the corpus before training: which items stand in which documents."""
