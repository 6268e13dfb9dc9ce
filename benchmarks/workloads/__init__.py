"""One file per workload. Its function `measure(bench)` runs the contestants and yields rows."""
