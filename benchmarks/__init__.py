"""Ours and the peers on the same work, in turns, in one run. See `run.py`."""
