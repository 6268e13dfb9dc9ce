"""One file per published weight format."""
