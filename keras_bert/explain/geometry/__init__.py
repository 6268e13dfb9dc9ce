"""The vectors of the layers: distances, similarities, words in context, and the logit lens."""
