"""What a pretrained model puts in a gap."""

import numpy as np

from keras_bert.errors import InputError


def fill_mask(pretrained, texts: list[str], top: int = 5) -> list[dict]:
    """The likeliest tokens at every `[MASK]` of some texts.

    Args:
        pretrained: what `load_pretrained` gives for a `BertPretrainer`'s folder.
        texts: N strings, each with at least one `[MASK]`.
        top: how many tokens a gap.

    Returns:
        A list of N dicts: `text`, and `gaps`, one dict a `[MASK]`: `position` in the tokens (0 is `[CLS]`) and
        `guesses`, a list of `{"token", "probability"}`, the likeliest first. Probabilities are over the vocabulary.

    Raises:
        InputError: the model has no head for masked words, or a text no `[MASK]` among the tokens that fit.

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 3.1, task 1.
    """
    from keras import ops

    from keras_bert.text import BertTextVectorization

    if pretrained.kind != "pretrainer":
        raise InputError(
            "a pretrained model with its masked-word head is expected. "
            f"Received: {pretrained.path} with a {pretrained.kind}"
        )
    vocabulary = pretrained.vocabulary
    vectorizer = BertTextVectorization(
        vocabulary,
        lowercase=pretrained.lowercase,
        sequence_length=pretrained.sequence_length,
        special_tokens=True,
    )
    mask_id = vocabulary.index("[MASK]")
    found = []
    for text in texts:  # one by one: texts differ in their number of gaps
        inputs = {name: ops.convert_to_numpy(value) for name, value in vectorizer([text]).items()}
        positions = np.flatnonzero(inputs["input_word_ids"][0] == mask_id)  # [P]
        if not len(positions):
            raise InputError(f"a text with [MASK] in its first tokens is expected. Received: {text[:80]!r}")
        logits = pretrained.model({**inputs, "masked_lm_positions": positions[None].astype("int32")}, training=False)
        shares = ops.convert_to_numpy(ops.softmax(logits["mlm_logits"][0], axis=-1))  # [P, V]
        gaps = []
        for position, row in zip(positions, shares, strict=True):
            best = np.argsort(-row, kind="stable")[:top]
            guesses = [{"token": vocabulary[i], "probability": float(row[i])} for i in best]
            gaps.append({"position": int(position), "guesses": guesses})
        found.append({"text": text, "gaps": gaps})
    return found
