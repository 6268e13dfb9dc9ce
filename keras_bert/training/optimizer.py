"""AdamW with the settings of BERT."""

import keras


def bert_adamw(learning_rate, weight_decay: float = 0.01) -> keras.optimizers.AdamW:
    """AdamW as BERT has it: betas 0.9 and 0.999, epsilon 1e-6, gradients clipped to a norm of 1 over all variables.

    Biases and LayerNorms (`bias`, `gamma`, `beta`) are not decayed: shrinking them regularises nothing.

    Args:
        learning_rate: a number or a schedule, such as `WarmupLinearDecay`.
        weight_decay: decoupled, multiplied by the learning rate.

    Returns:
        A `keras.optimizers.AdamW`.

    Example:

    >>> bert_adamw(1e-4).weight_decay
    0.01

    Source: Devlin et al. 2018, appendix A.2; optimization.py of google-research/bert (which leaves the bias correction
    of Adam out; Keras has it, as the warm-up makes the two alike); Loshchilov and Hutter 2017 (arXiv:1711.05101).
    """
    optimizer = keras.optimizers.AdamW(
        learning_rate,
        weight_decay=weight_decay,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-6,
        global_clipnorm=1.0,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer
