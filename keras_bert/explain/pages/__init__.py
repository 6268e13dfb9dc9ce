"""HTML pages that load no other file: their templates, and the page of a training run."""
