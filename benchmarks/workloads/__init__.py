"""One file a benchmark: `measure(bench)` runs its races and yields rows."""
