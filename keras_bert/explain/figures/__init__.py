"""Figures with their data, in one style, and the charts that need no model."""
