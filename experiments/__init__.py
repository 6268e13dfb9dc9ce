"""Accuracy studies; each writes a page in docs/."""
