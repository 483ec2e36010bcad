"""From sources to a committed corpus: readers, language, quality, personal data, duplicates, ledger and streams."""
