"""A model with its tokenizer, the tokens of a text with their places, and the hidden states of texts."""
