"""Learning rates per layer: layer decay and gradual unfreezing."""

from keras_bert.errors import InputError
from keras_bert.models.encoder_of import encoder_of


def layer_rates(model, decay: float = 1.0, unfreeze: tuple[int, int] | None = None) -> dict[str, tuple[float, int]]:
    """Compute the learning-rate factor of each variable and the step from which it is trained.

    Head and pooler have depth 0, the last block 1, the first block L, the embeddings L + 1.

    Args:
        model: a task model with an `encoder`.
        decay: in (0, 1]. At depth d the factor is decay ** d, so that the lower, more general layers change less.
        unfreeze: (steps per epoch, epochs) for gradual unfreezing: depth d is trained from epoch d on, counted from 0,
            and every depth in the last epoch. None trains all from the first step.

    Returns:
        A dict of `variable.path` to (factor, first step) for every trainable variable.

    Raises:
        InputError: `decay` is outside (0, 1].

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=50, hidden_size=8, num_layers=2, num_heads=2, intermediate_size=16)
    >>> rates = layer_rates(kb.BertClassifier(kb.BertEncoder(config), 2), decay=0.5, unfreeze=(100, 3))
    >>> rates["logits/bias"], rates["block_1/output_dense/bias"], rates["embeddings/word_embeddings/embeddings"]
    ((1.0, 0), (0.5, 100), (0.125, 200))

    Source: Howard and Ruder 2018 (arXiv:1801.06146), sections 3.2 (discriminative fine-tuning) and 3.3 (gradual
    unfreezing); Clark et al. 2020 (arXiv:2003.10555), appendix B, for layer decay in models like BERT.
    """
    if not 0 < decay <= 1:
        raise InputError(f"`layer_decay` must be a number in (0, 1]. Received: layer_decay={decay!r}")
    encoder = encoder_of(model)
    depths = {variable.path: 0 for variable in model.trainable_variables}
    # From the embeddings up: a block that all layers share (ALBERT) gets the depth of the last layer.
    for depth, part in zip(range(len(encoder.blocks) + 1, 0, -1), (encoder.embeddings, *encoder.blocks), strict=True):
        depths |= {variable.path: depth for variable in part.trainable_variables}
    epoch_steps, epochs = unfreeze or (0, 1)
    return {path: (decay**depth, epoch_steps * min(depth, epochs - 1)) for path, depth in depths.items()}
