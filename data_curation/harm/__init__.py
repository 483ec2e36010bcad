"""Words that may hurt, counted, and a hook for a classifier; a sign for a person, not a judgement."""
