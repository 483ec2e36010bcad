"""The language of a document and of its paragraphs."""
