"""Speed of keras_bert beside other implementations, on the same work in one run. See `run.py`."""
