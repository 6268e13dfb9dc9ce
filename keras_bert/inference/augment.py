"""Augmentation of texts with a masked language model."""

from collections.abc import Sequence

import numpy as np
from keras import ops

from keras_bert.constants import SPECIAL_TOKENS
from keras_bert.errors import InputError
from keras_bert.inference.length_sorted import length_sorted_batches
from keras_bert.ops import WIDTH_STEP
from keras_bert.text.offsets import OffsetTokenizer


def augment(
    pretrained,
    texts: Sequence[str],
    copies: int = 1,
    replace_prob: float = 0.4,
    top_k: int = 15,
    seed: int = 0,
    batch_size: int = 64,
) -> tuple[list[str], np.ndarray]:
    """Make new texts: words are replaced by words that a masked language model predicts in their place.

    Each word that is one token is masked, alone, and the model's `top_k` most probable whole words for it are its
    candidates. In each copy of a text, each of these words is replaced by one of its candidates with probability
    `replace_prob`. Words of several tokens, punctuation marks and white space stay. The labels of new texts should come
    from a teacher (`teacher_logits` of `kb.finetune`), because a replaced word can change the meaning.

    Args:
        pretrained: what `kb.load_pretrained` returns for a `BertPretrainer`.
        texts: N strings.
        copies: number of copies of each text. Copies that equal the text or an earlier copy are left out.
        replace_prob: probability that a word is replaced, in (0, 1].
        top_k: number of candidates per word.
        seed: random seed; the same arguments give the same texts.
        batch_size: rows per call of the model.

    Returns:
        The new texts, and the index in `texts` from which each was made, int `[M]`, ascending.

    Raises:
        InputError: the model has no masked-LM head, or `copies`, `replace_prob` or `top_k` is outside its range.

    Example:

    >>> import keras_bert as kb
    >>> pretrained = kb.load_pretrained("bert_en_uncased_mini")
    >>> new_texts, sources = augment(pretrained, ["She opened the door."], copies=3, replace_prob=0.5)
    >>> len(new_texts) <= 3, set(sources.tolist()) == {0}
    (True, True)

    Source: Jiao et al. 2019 (arXiv:1909.10351), section 3.2 and algorithm 1, with the same default values; there, words
    of several tokens are replaced by neighbors of their GloVe vectors.
    """
    _check(pretrained, copies, replace_prob, top_k)
    tokenizer = OffsetTokenizer(
        list(pretrained.vocabulary), pretrained.lowercase, pretrained.added_tokens, pretrained.splitting
    )
    tokenized = [tokenizer(text) for text in texts]
    slots = _slots(tokenized, pretrained)
    candidates = _candidates(pretrained, tokenized, slots, top_k, batch_size)  # one list of strings per slot
    by_text: list[list] = [[] for _ in texts]
    for (row, position), words in zip(slots, candidates, strict=True):
        by_text[row].append((tokenized[row][1][position], words))
    rng = np.random.default_rng(seed)
    new_texts, sources = [], []
    for i, text in enumerate(texts):
        seen = {text}
        for _ in range(copies):
            new = _replace(text, by_text[i], replace_prob, rng)
            if new not in seen:
                seen.add(new)
                new_texts.append(new)
                sources.append(i)
    return new_texts, np.array(sources, np.int64)


def _slots(tokenized, pretrained) -> list[tuple[int, int]]:
    """Return (text, token) of each word that is one token, within the maximum length of a row."""
    continues = np.array([token.startswith("##") for token in pretrained.vocabulary])
    is_word = np.array(list(map(_is_word, pretrained.vocabulary)))
    slots = []
    for row, (ids, _) in enumerate(tokenized):
        for position in range(min(len(ids), _max_tokens(pretrained))):
            ends = position + 1 == len(ids) or not continues[ids[position + 1]]
            if is_word[ids[position]] and ends:
                slots.append((row, position))
    return slots


def _candidates(pretrained, tokenized, slots, top_k: int, batch_size: int) -> list[list[str]]:
    """Return the most probable words for each slot."""
    vocabulary = list(pretrained.vocabulary)
    cls_id, sep_id, mask_id = (vocabulary.index(token) for token in ("[CLS]", "[SEP]", "[MASK]"))
    not_words = np.flatnonzero([not _is_word(token) for token in vocabulary])
    found: list[list[str]] = [[] for _ in slots]
    size = 64 * batch_size  # limits the memory for ids
    for start in range(0, len(slots), size):
        part = slots[start : start + size]
        rows = [[cls_id, *tokenized[row][0][: _max_tokens(pretrained)], sep_id] for row, _ in part]
        lengths = np.array([len(row) for row in rows])
        ids = np.zeros((len(rows), lengths.max()), np.int32)  # [N, T]
        for i, (row, (_, position)) in enumerate(zip(rows, part, strict=True)):
            ids[i, : len(row)] = row
            ids[i, position + 1] = mask_id
        mask = (np.arange(ids.shape[1]) < lengths[:, None]).astype(np.int32)  # [N, T]
        inputs = {"input_word_ids": ids, "input_mask": mask, "input_type_ids": np.zeros_like(ids)}
        positions = np.array([[position + 1] for _, position in part], np.int32)  # [N, 1]
        for chosen, batch in length_sorted_batches(inputs, batch_size, WIDTH_STEP):
            outputs = pretrained.model.predict_on_batch({**batch, "masked_lm_positions": positions[chosen]})
            logits = np.array(ops.convert_to_numpy(outputs["mlm_logits"]), np.float32)[:, 0]  # [B, V]
            logits[:, not_words] = -np.inf
            best = np.argpartition(-logits, top_k - 1, axis=1)[:, :top_k]  # [B, K]
            for i, tokens in zip(chosen, best, strict=True):
                found[start + i] = sorted(vocabulary[token] for token in tokens)
    return found


def _max_tokens(pretrained) -> int:
    """Return the number of tokens that fit into a row between [CLS] and [SEP]."""
    return pretrained.encoder.config.max_position_embeddings - 2


def _replace(text: str, slots, replace_prob: float, rng: np.random.Generator) -> str:
    """Replace each slot with one of its candidates, with a probability."""
    parts, end = [], 0
    for (start, stop), words in slots:
        if rng.random() < replace_prob:
            parts += [text[end:start], words[rng.integers(len(words))]]
            end = stop
    return "".join([*parts, text[end:]])


def _is_word(token: str) -> bool:
    return token not in SPECIAL_TOKENS and token[0].isalnum() and token.isalpha()


def _check(pretrained, copies, replace_prob, top_k) -> None:
    if pretrained.kind != "pretrainer":
        raise InputError(
            f"`pretrained` must have a masked-LM head. Received: {pretrained.path} (a model of kind {pretrained.kind})"
        )
    if copies < 1:
        raise InputError(f"`copies` must be at least 1. Received: copies={copies}")
    if not 0 < replace_prob <= 1:
        raise InputError(f"`replace_prob` must be above 0 and at most 1. Received: replace_prob={replace_prob}")
    words = sum(map(_is_word, pretrained.vocabulary))
    if not 1 <= top_k <= words:
        raise InputError(
            f"`top_k` must be in 1 … {words}, the number of words in the vocabulary. Received: top_k={top_k}"
        )
