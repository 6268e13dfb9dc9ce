"""Whether rows and their vocabulary fit the model that is to learn from them."""

from keras_bert.errors import InputError
from keras_bert.text.masking import Masking
from keras_bert.text.packing import PretrainingExamples


def check_pretraining(pretrainer, examples: PretrainingExamples, masking: Masking) -> None:
    """Refuse what a pretrainer cannot learn from.

    Raises:
        InputError: as `check_rows`, or rows packed for another sentence task than the pretrainer's.
    """
    check_rows(pretrainer.encoder, examples, masking)
    if pretrainer.sentence_task != examples.sentence_task:
        raise InputError(
            f"a pretrainer with sentence_task={pretrainer.sentence_task!r} needs rows packed for it. "
            f"Received: rows packed with sentence_task={examples.sentence_task!r}"
        )


def check_rows(encoder, examples: PretrainingExamples, masking: Masking) -> None:
    """Refuse a vocabulary or rows that an encoder has no place for.

    Raises:
        InputError: another number of tokens than the encoder's, or longer rows than it has positions.
    """
    config = encoder.config
    if len(masking.maskable) != config.vocab_size:
        raise InputError(
            f"encoder and vocabulary must be of one size, {config.vocab_size} tokens. Received: {len(masking.maskable)}"
        )
    width = examples.input_word_ids.shape[1]
    if width > config.max_position_embeddings:
        raise InputError(f"rows may have {config.max_position_embeddings} tokens, the positions. Received: {width}")
