"""Batches that are pure functions of (seed, epoch, number), so that a run can be repeated and resumed."""

import keras
import numpy as np

from keras_bert.data.id_arrays import as_id_arrays, row_lengths, trim
from keras_bert.errors import InputError
from keras_bert.text.masking import Masking, mask_tokens
from keras_bert.text.packing import PretrainingExamples


class MaskedBatches(keras.utils.PyDataset):
    """Packed examples, shuffled and masked afresh every epoch.

    Batch i of epoch e depends on (seed, e, i) alone. Rows that fill no batch are left out of an epoch; as every epoch
    is shuffled, none is left out for ever.

    Args:
        examples: `PretrainingExamples`.
        masking: `Masking`.
        batch_size: B.
        seed: any whole number of 0 or more.
        shuffle: False keeps the order and all rows, for validation.

    Yields `(inputs, targets, weights)`, dicts: the three inputs and `masked_lm_positions`; `mlm_logits` int32 `[B, P]`
    and, where there are such labels, `nsp_logits` or `sop_logits` int32 `[B]`; weights float32 of the targets' shapes.

    Raises:
        InputError: no example, or a batch size below 1.

    Example:

    >>> from keras_bert.text.packing import pack_examples
    >>> masking = Masking.from_vocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"], max_predictions=2)
    >>> rows = pack_examples([[[5, 6], [6, 6]], [[5], [5, 6, 5]]], 8, cls_id=2, sep_id=3)
    >>> inputs, targets, weights = MaskedBatches(rows, masking, batch_size=2)[0]
    >>> inputs["input_word_ids"].shape, targets["mlm_logits"].shape, targets["nsp_logits"].shape
    ((2, 8), (2, 2), (2,))
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
        rows = len(self.examples)
        return rows // self.batch_size if self.shuffle else -(-rows // self.batch_size)

    def __getitem__(self, index: int):
        return self.batch(self.epoch, index)

    def on_epoch_end(self) -> None:
        self.epoch += 1

    def batch(self, epoch: int, index: int):
        """Batch `index` of epoch `epoch`, both from 0."""
        rows = self._rows(epoch)[index * self.batch_size : (index + 1) * self.batch_size]
        examples = self.examples[rows]
        hidden = mask_tokens(examples.input_word_ids, self.masking, np.random.default_rng([self.seed, epoch, index]))
        inputs = {
            "input_word_ids": hidden["input_word_ids"],
            "input_mask": (np.arange(hidden["input_word_ids"].shape[1]) < examples.lengths[:, None]).astype(np.int32),
            "input_type_ids": examples.input_type_ids.astype(np.int32),
            "masked_lm_positions": hidden["masked_lm_positions"],
        }
        targets = {"mlm_logits": hidden["masked_lm_ids"]}
        weights = {"mlm_logits": hidden["masked_lm_weights"]}
        sentences = {"nsp_logits": examples.next_sentence_labels, "sop_logits": examples.sentence_order_labels}
        for name, labels in sentences.items():
            if labels is not None:
                targets[name] = labels.astype(np.int32)
                weights[name] = np.ones(len(rows), np.float32)
        return inputs, targets, weights

    def _rows(self, epoch: int) -> np.ndarray:
        if not self.shuffle:
            return np.arange(len(self.examples))
        if self._order[0] != epoch:  # kept for the epoch in progress
            self._order = (epoch, np.random.default_rng([self.seed, epoch]).permutation(len(self.examples)))
        return self._order[1]


class LengthGroupedBatches(keras.utils.PyDataset):
    """Labelled rows, shuffled, those of like length together, padded only to the batch's longest.

    All rows are shuffled, cut into pools of some batches, sorted by length within a pool, cut into batches, and the
    batches shuffled. On JAX widths are multiples of 8: it compiles for each shape and so sees few.

    Batch i of epoch e depends on (seed, e, i) alone; every row comes once an epoch.

    Args:
        ids: dict of `input_word_ids`, `input_mask`, `input_type_ids`, `[N, T]`, as the vectorizer gives them.
        labels: `[N]`, or more than a number a row, `[N, …]`; or a dict of such arrays.
        batch_size: B.
        seed: any whole number of 0 or more.
        weights: of the labels, of their shape, or None for all alike.
        per_token: labels and weights are `[N, T]`, and cut as the rows are.

    Yields `(inputs, labels)`, or `(inputs, labels, weights)`: dict of int32 `[B, t]` with t up to T, and int32 or
    float32 `[B, …]`.

    Raises:
        InputError: an input is missing, shapes or counts disagree, no row, or a batch size below 1.

    Example:

    >>> ids = np.array([[2, 7, 3, 0, 0, 0, 0, 0, 0]])
    >>> batches = LengthGroupedBatches({"input_word_ids": ids, "input_mask": ids > 0, "input_type_ids": 0 * ids}, [1])
    >>> batches[0][0]["input_word_ids"].shape  # on JAX (1, 8)
    (1, 3)
    """

    POOL = 32  # batches; more would pad less but mix less

    def __init__(self, ids: dict, labels, batch_size: int = 32, seed: int = 0, weights=None, per_token: bool = False):
        super().__init__()
        self.ids = as_id_arrays(ids)
        self.labels = (
            {key: _as_labels(each) for key, each in labels.items()}
            if isinstance(labels, dict)
            else (_as_labels(labels))
        )
        self.weights, self.per_token = weights, per_token
        self.lengths = row_lengths(self.ids)
        _check(len(self.lengths), batch_size, seed)
        for array in self.labels.values() if isinstance(self.labels, dict) else (self.labels,):
            if array.shape[:1] != self.lengths.shape:
                raise InputError(f"a label a row is expected, {len(self.lengths)}. Received: shape {array.shape}")
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0
        self._order = (None, None)

    def __len__(self) -> int:
        return -(-len(self.lengths) // self.batch_size)

    def __getitem__(self, index: int):
        return self.batch(self.epoch, index)

    def on_epoch_end(self) -> None:
        self.epoch += 1

    def batch(self, epoch: int, index: int):
        """Batch `index` of epoch `epoch`, both from 0."""
        if self._order[0] != epoch:  # kept for the epoch in progress
            self._order = (epoch, self._grouped(np.random.default_rng([self.seed, epoch])))
        return self.rows(self._order[1][index])

    def rows(self, rows: np.ndarray):
        """A batch of these rows, as wide as the longest."""
        return self._batch(trim(self.ids, self.lengths, rows), rows)

    def blank(self, rows: int, width: int):
        """A batch of at most so many rows, cut to a width, with zeros for labels: for whom the shapes matter alone."""
        first = np.arange(min(rows, len(self.lengths)))
        ids, labels, *weights = self._batch({key: array[first, :width] for key, array in self.ids.items()}, first)
        return ids, keras.tree.map_structure(np.zeros_like, labels), *weights  # an answer may lie beyond the width

    def _batch(self, ids: dict, rows: np.ndarray):
        place = (rows, slice(ids["input_mask"].shape[1])) if self.per_token else rows
        if isinstance(self.labels, dict):
            return ids, {key: array[place] for key, array in self.labels.items()}
        if self.weights is None:
            return ids, self.labels[place]
        return ids, self.labels[place], self.weights[place]

    def _grouped(self, rng: np.random.Generator) -> list[np.ndarray]:
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


def _check(rows: int, batch_size: int, seed: int) -> None:
    if rows == 0:
        raise InputError("batches need rows. Received: none")
    if batch_size < 1:
        raise InputError(f"the batch size must be at least 1. Received: {batch_size!r}")
    if seed < 0:
        raise InputError(f"the seed must be 0 or more. Received: {seed!r}")
