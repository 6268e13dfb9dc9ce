"""The initializer of BERT's kernels and embeddings."""

import keras


def kernel_initializer(initializer_range: float) -> keras.initializers.Initializer:
    """Make a truncated normal initializer; one per weight, since an initializer used twice gives the same values twice.

    Args:
        initializer_range: its standard deviation.
    """
    return keras.initializers.TruncatedNormal(stddev=initializer_range)
