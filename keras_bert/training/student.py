"""Initialization of a student for distillation from its teacher's layers."""

import dataclasses

from keras_bert.errors import InputError
from keras_bert.models import BertEncoder, BertPretrainer


def init_student(teacher, num_layers: int | None = None, dtype=None) -> BertPretrainer:
    """Create a student with fewer layers and copy embeddings, layers and masked-LM head from the teacher.

    Args:
        teacher: a `BertPretrainer`.
        num_layers: number of layers of the student, by default half of the teacher's. The copied layers are evenly
            spaced and include the first: for half of the layers, every second layer is copied.
        dtype: dtype policy of the student.

    Returns:
        A `BertPretrainer` without sentence task, segment embeddings and pooler, as in DistilBERT. The teacher's
        embedding of the first segment is added to the student's position embeddings, so that both models have the same
        embeddings for a single text.

    Raises:
        InputError: `num_layers` is not between 1 and the teacher's number of layers - 1.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=50, hidden_size=8, num_layers=4, num_heads=2, intermediate_size=16)
    >>> student = init_student(kb.BertPretrainer(kb.BertEncoder(config)))
    >>> student.encoder.config.num_layers, student.encoder.config.type_vocab_size, student.encoder.pooler
    (2, 0, None)

    Source: Sanh et al. 2019 (arXiv:1910.01108), section 3, "Student initialization".
    """
    config = teacher.encoder.config
    layers = config.num_layers // 2 if num_layers is None else num_layers
    if not 1 <= layers < config.num_layers:
        raise InputError(
            f"`num_layers` must be in 1 … {config.num_layers - 1}, less than the teacher's {config.num_layers}. "
            f"Received: num_layers={layers}"
        )
    changes = {"num_layers": layers, "type_vocab_size": 0, "pooler": False}
    student = BertPretrainer(BertEncoder(dataclasses.replace(config, **changes), dtype=dtype), sentence_task=None)
    _copy_embeddings(teacher.encoder.embeddings, student.encoder.embeddings)
    for i, block in enumerate(student.encoder.blocks):
        block.set_weights(teacher.encoder.blocks[i * config.num_layers // layers].get_weights())
    student.mlm_head.set_weights(teacher.mlm_head.get_weights())
    return student


def without_sentence_task(pretrainer) -> BertPretrainer:
    """Return a `BertPretrainer` with the same encoder and a copy of the masked-LM head, but no sentence task."""
    if pretrainer.sentence_task is None:
        return pretrainer
    model = BertPretrainer(pretrainer.encoder, sentence_task=None)
    model.mlm_head.set_weights(pretrainer.mlm_head.get_weights())
    return model


def _copy_embeddings(source, target) -> None:
    """Copy embeddings to a layer without segments, for texts that are all first segments."""
    for part in ("word_embeddings", "position_embeddings", "layer_norm", "projection"):
        if getattr(source, part) is not None:
            getattr(target, part).set_weights(getattr(source, part).get_weights())
    if source.type_embeddings is not None:
        positions = target.position_embeddings.embeddings
        positions.assign(positions + source.type_embeddings.embeddings[:1])  # [P, E] + [1, E]
