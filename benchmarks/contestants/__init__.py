"""One file per contestant. Each runs as a process of its own, so that libraries do not share threads."""
