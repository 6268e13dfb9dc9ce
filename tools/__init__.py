"""Programs that build the bundled models and the notebooks."""
