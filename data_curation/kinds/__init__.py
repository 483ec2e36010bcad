"""Kinds of single files: each module turns one kind into text, with what the file says of itself."""
