"""The initializer of BERT's kernels and embeddings."""

import keras


def kernel_initializer(initializer_range: float) -> keras.initializers.Initializer:
    """Create the truncated normal initializer of one weight.

    Two weights that share an initializer would get the same values, so each weight has its own.

    Args:
        initializer_range: standard deviation.
    """
    return keras.initializers.TruncatedNormal(stddev=initializer_range)
