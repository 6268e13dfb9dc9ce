"""Leave-one-out: the change of a logit when one token is masked or deleted."""

import numpy as np

from keras_bert.errors import InputError
from keras_bert.explain.attribution.context import Context
from keras_bert.explain.attribution.result import Attribution
from keras_bert.explain.texts.tokenized_text import Text

MODES = ("mask", "delete")
DESCRIPTIONS = {"mask": "[MASK] in place of each token", "delete": "all tokens deleted"}


def occlusion(pretrained, text: Text, target=None, mode: str = "mask", vectorizer=None) -> Attribution:
    """Attribute a logit to the tokens of a text by leaving out one token at a time.

    The score of a token is the logit of the text minus the logit of the text without it. [CLS] and [SEP] are never left
    out and have the score 0. The effects of tokens are not independent: the scores do not add up to the effect of
    leaving out all tokens, see `completeness_error`.

    Args:
        pretrained, text, target, vectorizer: see `integrated_gradients`.
        mode: `"mask"` replaces a token by [MASK]. `"delete"` removes it, which changes the positions of the tokens
            after it.

    Returns:
        An `Attribution`. Its settings name the mode.

    Raises:
        InputError: as `integrated_gradients`; the mode is unknown; or the target is a logit at a token, and the mode is
            `"delete"`.

    Example:

    >>> import keras_bert as kb
    >>> vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "fine", "film"])
    >>> config = kb.BertConfig(vocab_size=7, hidden_size=8, num_layers=1, num_heads=2, intermediate_size=16)
    >>> found = occlusion((kb.BertClassifier(kb.BertEncoder(config)), vectorizer), "fine film", mode="delete")
    >>> float(found.scores[0]), found.settings["mode"]
    (0.0, 'delete')

    Source: Li et al. 2016 (arXiv:1612.08220), "representation erasure".
    """
    check_mode(mode)
    return leave_one_out(Context.create(pretrained, text, target, vectorizer), mode)


def leave_one_out(context: Context, mode: str) -> Attribution:
    """Compute `occlusion` for a context."""
    if mode == "delete" and context.target.position is not None:
        raise InputError(
            '`mode` must be "mask" for a target at a token, because deletion moves it. Received: mode="delete"'
        )
    places = np.flatnonzero(~context.text.is_special)
    alone = np.arange(len(context.text.tokens)) == places[:, None]  # [P, T]: the token that is left out
    value = context.values(context.text.ids[None])[0]
    scores = np.zeros(len(context.text.tokens))
    scores[places] = value - left_out_values(context, alone, mode)
    baseline_value = left_out_values(context, ~context.text.is_special[None], mode)[0]
    settings = {"mode": mode, "baseline": DESCRIPTIONS[mode]}
    return context.attribution(scores, value, baseline_value, "occlusion", **settings)


def left_out_values(context: Context, left_out: np.ndarray, mode: str) -> np.ndarray:
    """Compute the target without some tokens.

    Args:
        context: the text.
        left_out: bool `[B, T]`: the tokens to leave out in each row. With `"delete"`, rows may have different numbers.
        mode: one of `MODES`.

    Returns:
        float64 `[B]`.
    """
    logits = context.explained.logits_of(reduced_inputs(context, left_out, mode), context.target.position)  # [B, K]
    return np.asarray(context.target.value(logits), "float64")


def reduced_inputs(context: Context, left_out: np.ndarray, mode: str) -> dict:
    """Return the inputs of the encoder without some tokens, int32 `[B, S]`; see `left_out_values`.

    With `"delete"`, S is the largest number of tokens that a row keeps, and the other rows are padded.
    """
    text, tokenizer = context.text, context.explained.tokenizer
    if mode == "mask":
        return text.inputs(np.where(left_out, tokenizer.mask_id, text.ids))
    counts = (~left_out).sum(1)  # [B]
    places = np.argsort(left_out, axis=1, kind="stable")[:, : counts.max()]  # [B, S]: first those that stay
    kept = np.arange(counts.max()) < counts[:, None]  # [B, S]
    inputs = text.inputs(np.where(kept, text.ids[places], tokenizer.pad_id), np.where(kept, text.types[places], 0))
    return {**inputs, "input_mask": kept.astype("int32")}


def check_mode(mode: str) -> None:
    """Raise InputError if `mode` is not one of `MODES`."""
    if mode not in MODES:
        raise InputError(f'`mode` must be "mask" or "delete". Received: mode={mode!r}')
