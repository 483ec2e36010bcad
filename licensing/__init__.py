"""What may be used and how it is shown: rights, decisions, agreements, Merkle trees, the signed record."""
