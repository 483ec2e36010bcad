"""What a user edits: runs, licence table, agreements, quality rules; shipped, so that an installed copy has them."""
