"""Layers that learn at rates of their own: those near the words slower, or later."""

from keras_bert.errors import InputError


def layer_rates(model, decay: float = 1.0, opens: tuple[int, int] | None = None) -> dict[str, tuple[float, int]]:
    """By what each variable's learning rate is multiplied, and from which step on it learns.

    The heads and the pooler are depth 0, the last block 1, the first block L, the embeddings L + 1.

    Args:
        model: a model for a task, with its `encoder`.
        decay: at depth d the rate is multiplied by decay ** d, in (0, 1]. What a language model knows of words holds
            for every task; what its last layers know is of the words it guessed.
        opens: (steps an epoch, epochs) for gradual unfreezing: depth d learns from epoch d on (counted from 0), and in
            the last epoch all do. None lets all learn from the first step.

    Returns:
        A dict of `variable.path` to (factor, first step), of every variable that learns.

    Raises:
        InputError: a decay outside (0, 1].

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=50, hidden_size=8, num_layers=2, num_heads=2, intermediate_size=16)
    >>> rates = layer_rates(kb.BertClassifier(kb.BertEncoder(config), 2), decay=0.5, opens=(100, 3))
    >>> rates["logits/bias"], rates["block_1/output_dense/bias"], rates["embeddings/word_embeddings/embeddings"]
    ((1.0, 0), (0.5, 100), (0.125, 200))

    Source: Howard and Ruder 2018 (arXiv:1801.06146), sections 3.2 (discriminative fine-tuning) and 3.3 (gradual
    unfreezing); Clark et al. 2020 (arXiv:2003.10555), appendix B, for BERT's kind.
    """
    if not 0 < decay <= 1:
        raise InputError(f"the layers' decay lies above 0 and is at most 1. Received: {decay!r}")
    encoder = model.encoder
    depths = {variable.path: 0 for variable in model.trainable_variables}
    # From below, so that a block shared by all layers, as ALBERT's is, counts as the last one.
    for depth, part in zip(range(len(encoder.blocks) + 1, 0, -1), (encoder.embeddings, *encoder.blocks), strict=True):
        depths |= {variable.path: depth for variable in part.trainable_variables}
    epoch_steps, epochs = opens or (0, 1)
    return {path: (decay**depth, epoch_steps * min(depth, epochs - 1)) for path, depth in depths.items()}
