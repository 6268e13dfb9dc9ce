"""The summary of a model: its architecture, its costs and its speed."""
