"""Tokenizer, packed streams, the training order and its inverse, the model, the loop and its checkpoints."""
