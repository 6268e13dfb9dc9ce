"""Which tokens a prediction depends on: attributions, and the checks of these methods."""
