"""Batches that are pure functions of seed, epoch and index, so that a run can be repeated and resumed."""

import keras
import numpy as np

from keras_bert.data.id_arrays import as_id_arrays, row_lengths, trim
from keras_bert.errors import InputError
from keras_bert.ops import WIDTH_STEP
from keras_bert.text.masking import Masking, mask_tokens
from keras_bert.text.packing import PretrainingExamples


class MaskedBatches(keras.utils.PyDataset):
    """Batches of packed examples with new order and new masks in every epoch.

    Batch i of epoch e depends only on (seed, e, i). An epoch leaves out the examples that do not fill a batch. The
    order is new in every epoch, so different examples are left out each time.

    Args:
        examples: `PretrainingExamples`.
        masking: `Masking`.
        batch_size: B.
        seed: an integer, 0 or more.
        shuffle: False keeps the order and all examples, for validation.

    Returns:
        Each batch is `(inputs, targets, weights)`, three dicts. `inputs` has the encoder's three inputs int32 `[B, T]`
        and `masked_lm_positions` int32 `[B, P]`. `targets` has `mlm_logits` int32 `[B, P]` and, with a sentence task,
        `nsp_logits` or `sop_logits` int32 `[B]`. `weights` has float32 arrays of the targets' shapes.

    Raises:
        InputError: there is no example, `batch_size` is below 1, or `seed` is below 0.

    Example:

    >>> from keras_bert.text.packing import pack_examples
    >>> masking = Masking.from_vocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"], max_predictions=2)
    >>> examples = pack_examples([[[5, 6], [6, 6]], [[5], [5, 6, 5]]], 8, cls_id=2, sep_id=3)
    >>> inputs, targets, weights = MaskedBatches(examples, masking, batch_size=2)[0]
    >>> inputs["input_word_ids"].shape, targets["mlm_logits"].shape, targets["nsp_logits"].shape
    ((2, 8), (2, 2), (2,))

    Source: RoBERTa, Liu et al. 2019 (arXiv:1907.11692), section 4.1 (dynamic masking).
    """

    def __init__(
        self,
        examples: PretrainingExamples,
        masking: Masking,
        batch_size: int = 32,
        seed: int = 0,
        shuffle: bool = True,
    ):
        super().__init__()
        _check(len(examples), batch_size, seed)
        self.examples = examples
        self.masking = masking
        self.batch_size = min(batch_size, len(examples))
        self.seed = seed
        self.shuffle = shuffle
        self.epoch = 0
        self._order = (None, None)

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        count = len(self.examples)
        return count // self.batch_size if self.shuffle else -(-count // self.batch_size)

    def __getitem__(self, index: int):
        """Return a batch of the current epoch."""
        return self.batch(self.epoch, index)

    def on_epoch_end(self) -> None:
        """Start the next epoch."""
        self.epoch += 1

    def batch(self, epoch: int, index: int):
        """Return batch `index` of epoch `epoch`, both counted from 0."""
        rows = self._order_of(epoch)[index * self.batch_size : (index + 1) * self.batch_size]  # [B]
        examples = self.examples[rows]
        masked = mask_tokens(examples.input_word_ids, self.masking, np.random.default_rng([self.seed, epoch, index]))
        ids = masked["input_word_ids"]  # [B, T]
        inputs = {
            "input_word_ids": ids,
            "input_mask": (np.arange(ids.shape[1]) < examples.lengths[:, None]).astype(np.int32),  # [B, T]
            "input_type_ids": examples.input_type_ids.astype(np.int32),  # [B, T]
            "masked_lm_positions": masked["masked_lm_positions"],  # [B, P]
        }
        targets = {"mlm_logits": masked["masked_lm_ids"]}  # [B, P]
        weights = {"mlm_logits": masked["masked_lm_weights"]}  # [B, P]
        sentence_labels = {"nsp_logits": examples.next_sentence_labels, "sop_logits": examples.sentence_order_labels}
        for name, labels in sentence_labels.items():
            if labels is not None:
                targets[name] = labels.astype(np.int32)  # [B]
                weights[name] = np.ones(len(rows), np.float32)  # [B]
        return inputs, targets, weights

    def _order_of(self, epoch: int) -> np.ndarray:
        """Return the indices of all examples in the order of an epoch, int `[N]`."""
        if not self.shuffle:
            return np.arange(len(self.examples))
        if self._order[0] != epoch:  # computed once per epoch
            self._order = (epoch, np.random.default_rng([self.seed, epoch]).permutation(len(self.examples)))
        return self._order[1]


class LengthGroupedBatches(keras.utils.PyDataset):
    """Shuffled batches of labeled examples of similar length, padded to the longest example of the batch.

    All examples are shuffled and cut into pools of 32 batches. Each pool is sorted by length and cut into batches, and
    then all batches are shuffled. On JAX, lengths are rounded up to multiples of 8, because it compiles the model for
    each shape.

    Batch i of epoch e depends only on (seed, e, i). Every example occurs once per epoch.

    Args:
        ids: dict of `input_word_ids`, `input_mask`, `input_type_ids`, `[N, T]`, as the vectorizer returns them.
        labels: an array `[N]` or `[N, …]`, or a dict of such arrays.
        batch_size: B.
        seed: an integer, 0 or more.
        weights: weights of the labels, an array of the labels' shape, or None for equal weights.
        per_token: whether labels and weights are `[N, T]`. They are then cut to the length of the batch.
        few_lengths: whether lengths are rounded up to one of few, see `width_step` in `data/id_arrays.py`.

    Returns:
        Each batch is `(inputs, labels)` or `(inputs, labels, weights)`: a dict of int32 `[B, t]` with t <= T, and int32
        or float32 `[B, …]`.

    Raises:
        InputError: an input is missing, shapes do not fit each other, there is no example, `batch_size` is below 1, or
            `seed` is below 0.

    Example:

    >>> ids = np.array([[2, 7, 3, 0, 0, 0, 0, 0, 0]])
    >>> batches = LengthGroupedBatches({"input_word_ids": ids, "input_mask": ids > 0, "input_type_ids": 0 * ids}, [1])
    >>> batches[0][0]["input_word_ids"].shape  # on JAX (1, 8)
    (1, 3)
    """

    POOL = 32  # batches per pool; more would need less padding but shuffle less

    def __init__(
        self,
        ids: dict,
        labels,
        batch_size: int = 32,
        seed: int = 0,
        weights=None,
        per_token: bool = False,
        few_lengths: bool = False,
    ):
        super().__init__()
        self.ids = as_id_arrays(ids)
        self.labels = (
            {key: _as_labels(array) for key, array in labels.items()}
            if isinstance(labels, dict)
            else _as_labels(labels)
        )
        self.weights, self.per_token, self.few_lengths = weights, per_token, few_lengths
        self.lengths = row_lengths(self.ids)
        _check(len(self.lengths), batch_size, seed)
        for array in self.labels.values() if isinstance(self.labels, dict) else (self.labels,):
            if array.shape[:1] != self.lengths.shape:
                raise InputError(
                    f"`labels` must have one entry per example ({len(self.lengths)}). Received: shape={array.shape}"
                )
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0
        self._order = (None, None)

    def __len__(self) -> int:
        """Return the number of batches of an epoch."""
        return -(-len(self.lengths) // self.batch_size)

    def __getitem__(self, index: int):
        """Return a batch of the current epoch."""
        return self.batch(self.epoch, index)

    def on_epoch_end(self) -> None:
        """Start the next epoch."""
        self.epoch += 1

    def batch(self, epoch: int, index: int):
        """Return batch `index` of epoch `epoch`, both counted from 0."""
        if self._order[0] != epoch:  # computed once per epoch
            self._order = (epoch, self._grouped(np.random.default_rng([self.seed, epoch])))
        return self.rows(self._order[1][index])

    def rows(self, rows: np.ndarray):
        """Return a batch of the given examples, padded to the longest of them."""
        return self._batch(trim(self.ids, self.lengths, rows, None if self.few_lengths else WIDTH_STEP), rows)

    def dummy_batch(self, size: int, length: int):
        """Return a batch of at most the given size and length with labels of 0, used to trace the training step."""
        rows = np.arange(min(size, len(self.lengths)))
        ids, labels, *weights = self._batch({key: array[rows, :length] for key, array in self.ids.items()}, rows)
        # Real labels may be token positions beyond `length`.
        return ids, keras.tree.map_structure(np.zeros_like, labels), *weights

    def _batch(self, ids: dict, rows: np.ndarray):
        index = (rows, slice(ids["input_mask"].shape[1])) if self.per_token else rows
        if isinstance(self.labels, dict):
            return ids, {key: array[index] for key, array in self.labels.items()}
        if self.weights is None:
            return ids, self.labels[index]
        return ids, self.labels[index], self.weights[index]

    def _grouped(self, rng: np.random.Generator) -> list[np.ndarray]:
        """Return the indices of the examples of each batch, in a random order."""
        order = rng.permutation(len(self.lengths))
        pool = self.POOL * self.batch_size
        batches = []
        for start in range(0, len(order), pool):
            rows = order[start : start + pool]
            rows = rows[np.argsort(self.lengths[rows], kind="stable")]
            batches.extend(rows[i : i + self.batch_size] for i in range(0, len(rows), self.batch_size))
        return [batches[i] for i in rng.permutation(len(batches))]


def _as_labels(labels) -> np.ndarray:
    labels = np.asarray(labels)
    return labels.astype(np.float32 if labels.dtype.kind == "f" else np.int32)


def _check(count: int, batch_size: int, seed: int) -> None:
    if count == 0:
        raise InputError("`examples` must have at least one example. Received: 0 examples")
    if batch_size < 1:
        raise InputError(f"`batch_size` must be an integer, 1 or more. Received: batch_size={batch_size!r}")
    if seed < 0:
        raise InputError(f"`seed` must be an integer, 0 or more. Received: seed={seed!r}")
