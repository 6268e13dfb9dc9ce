"""Which attention heads a classifier needs: its accuracy without each of them."""

import contextlib
import dataclasses

import keras
import numpy as np

from keras_bert import keras_internals, ops
from keras_bert.data.examples import read_examples
from keras_bert.data.id_arrays import row_lengths, trim
from keras_bert.errors import InputError
from keras_bert.explain.figures.figure import Figure
from keras_bert.explain.figures.panels import draw_cells, fix_layout, new_panels
from keras_bert.explain.figures.style import INK, SERIES, style
from keras_bert.explain.texts.text_model import open_preprocessor
from keras_bert.tasks.class_names import to_class_ids


@dataclasses.dataclass(frozen=True)
class HeadAblation:
    """Accuracy without single heads, the result of `head_ablation`.

    Attributes:
        accuracy: the accuracy with all heads, in [0, 1].
        change: float64 `[L, A]`, the change of the accuracy when the output of one head is zero.
        standard_error: float64 `[L, A]`, of the change, over the examples.
        alone: float64 `[L, A]`, the accuracy when one head is the only one of its layer that is not zero.
        examples: N.
        shared: whether all layers share one block (ALBERT); L is then 1, and a head is zero in all layers.
    """

    accuracy: float
    change: np.ndarray
    standard_error: np.ndarray
    alone: np.ndarray
    examples: int
    shared: bool

    @property
    def best_alone(self) -> np.ndarray:
        """The best accuracy of each layer with one head, float64 `[L]`. The head is selected on the same examples."""
        return self.alone.max(1)

    @property
    def data(self) -> dict:
        """The numbers as lists, for JSON."""
        matrices = {name: getattr(self, name).tolist() for name in ("change", "standard_error", "alone", "best_alone")}
        return {"accuracy": self.accuracy, "examples": self.examples, "shared": self.shared, **matrices}

    def plot(self) -> Figure:
        """Draw the change for each head as a heat map, and the accuracy of each layer with its best head alone."""
        layers, heads = self.change.shape
        limit = max(np.abs(self.change).max(), 1e-9)
        texts = [
            [f"{100 * value:+.1f}".replace("-0.0", "0.0").replace("+0.0", "0.0") for value in row]
            for row in self.change
        ]
        names = ["all" if self.shared else str(layer + 1) for layer in range(layers)]
        with style():
            figure, grid = new_panels(1, 2, 3.6 + 0.46 * heads, 1.4 + 0.32 * max(layers, 4))
            left, right = grid[0]
            left.get_gridspec().set_width_ratios([max(0.46 * heads, 1.4), 2.0])
            draw_cells(left, self.change, limit, texts, fontsize=7)
            left.set_xticks(range(heads), range(1, heads + 1))
            left.set_yticks(range(layers), names)
            left.set(xlabel="head", ylabel="layer")
            left.set_title("one head removed", loc="left")
            right.plot(100 * self.best_alone, range(layers), "o", color=SERIES[0], markersize=5)
            right.axvline(100 * self.accuracy, color=INK, linestyle="--", linewidth=1.2)
            right.set(ylim=(layers - 0.5, -0.5), xlabel="accuracy (%)")
            right.set_yticks(range(layers), names)
            right.set_title("best head alone", loc="left")
            right.grid(axis="x", linewidth=0.6)
            fix_layout(figure)
        beyond = int((np.abs(self.change) > 2 * self.standard_error).sum())
        worst = np.unravel_index(self.change.argmin(), self.change.shape)
        caption = (
            f"{self.examples:,} examples, accuracy {self.accuracy:.1%} with all heads. Left: change in percentage "
        )
        caption += "points when the output of one head is zero; orange: worse, blue: better. Look at how many cells "
        caption += f"are strong: {beyond} of {self.change.size} changes exceed two standard errors. "
        caption += f"The largest loss is {100 * self.change.min():.1f} points (layer {names[worst[0]]}, head "
        caption += (
            f"{worst[1] + 1}). Right: accuracy with all heads of one layer removed but the best; dashed: with all "
        )
        caption += "heads. The best head is selected on the same examples, so these numbers are slightly too high."
        return Figure(figure, caption, self.data, f"Matrix of {layers} layers and {heads} heads, and dots by layer")


def head_ablation(pretrained, texts, labels=None, batch_size: int = 64) -> HeadAblation:
    """Measure the accuracy of a classifier without each attention head, and with one head alone in a layer.

    The output of a head is made zero: its rows of the attention's output projection are set to zero, and set back
    afterwards, also after an error. Nothing is trained. It takes 2 L A + 1 runs over the examples.

    Args:
        pretrained: what `kb.load_pretrained` returns for a `BertClassifier`, one with a vectorizer, or a tuple of
            both; it must predict one of C classes.
        texts: N texts or pairs, or rows of token ids, in any form that `kb.finetune` takes.
        labels: N class ids or names, or None if `texts` has them.
        batch_size: B.

    Returns:
        A `HeadAblation`.

    Raises:
        InputError: the model is no classifier of this kind, or its attention was replaced, quantized or has LoRA
            weights; there are no examples, or a label is none of its classes.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=7, hidden_size=8, num_layers=2, num_heads=2, intermediate_size=16)
    >>> encoder = kb.BertEncoder(config)
    >>> encoder.vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "film"])
    >>> found = kb.explain.head_ablation(kb.BertClassifier(encoder), ["a film", "a"], [0, 1])
    >>> found.change.shape, found.examples
    ((2, 2), 2)

    Source: Michel et al. 2019 (arXiv:1905.10650), sections 3.2 and 3.3.
    """
    model, preprocessor = open_preprocessor(pretrained)
    problem = getattr(model, "problem_type", None)
    if problem not in ("single_label", "binary"):
        raise InputError(
            "`pretrained` must be a classifier that predicts one of C classes. "
            f"Received: {type(model).__name__} with problem_type={problem!r}"
        )
    examples = read_examples(texts, labels, name="texts")
    if not len(examples) or examples.labels is None:
        raise InputError(f"`labels` must be given for at least one example. Received: {len(examples)} examples")
    ids = examples.ids if examples.ids is not None else preprocessor(examples.texts)
    preprocessor.long_texts.warn()
    classes = np.asarray(to_class_ids(examples.labels, getattr(model, "labels", None)))  # [N]
    count = 2 if problem == "binary" else model.num_classes
    if classes.ndim != 1 or not np.isin(classes, np.arange(count)).all():
        raise InputError(f"`labels` must be class ids in 0 … {count - 1}. Received: {np.unique(classes)[:8].tolist()}")
    predict = ops.predict_on_batch(model)

    def correct() -> np.ndarray:
        return _predictions(predict, ids, batch_size, problem) == classes  # [N]

    blocks = list(dict.fromkeys(model.encoder.blocks))  # ALBERT has one
    heads = model.encoder.config.num_heads
    for block in blocks:
        output_kernel(block, heads)
    base = correct()
    change, errors, alone = (np.zeros((len(blocks), heads)) for _ in range(3))
    for layer, block in enumerate(blocks):
        for head in range(heads):
            with zeroed_heads(block, [head], heads):
                difference = correct().astype("float64") - base  # [N], of -1, 0 and 1
            change[layer, head] = difference.mean()
            errors[layer, head] = difference.std() / np.sqrt(len(difference))
            with zeroed_heads(block, [each for each in range(heads) if each != head], heads):
                alone[layer, head] = correct().mean()
    return HeadAblation(float(base.mean()), change, errors, alone, len(base), len(blocks) < len(model.encoder.blocks))


@contextlib.contextmanager
def zeroed_heads(block, heads: list[int], count: int):
    """Make the output of attention heads of a block zero, and restore the weights at the end, also after an error.

    Args:
        block: a `TransformerBlock`.
        heads: the heads, from 0.
        count: A, the number of heads of the block.

    Raises:
        InputError: see `output_kernel`.
    """
    kernel = output_kernel(block, count)
    before = keras.ops.convert_to_numpy(kernel)  # [A, H / A, H]
    after = np.array(before)
    after[heads] = 0
    try:
        kernel.assign(after)
        yield
    finally:
        kernel.assign(before)


def output_kernel(block, heads: int):
    """Return the variable `[A, H / A, H]` of a block that maps the outputs of the heads to the attention's output.

    Raises:
        InputError: the attention was replaced, or its output projection is quantized or has LoRA weights.
    """
    attention = getattr(block, "attention", None)
    if type(attention) is not keras.layers.MultiHeadAttention:
        raise InputError(
            "`pretrained` must have attention layers of type keras.layers.MultiHeadAttention. "
            f"Received: {type(attention).__name__}"
        )
    layer = attention.output_dense
    kernel = keras_internals.stored_kernel(layer)
    if getattr(layer, "lora_enabled", False) or getattr(layer, "quantization_mode", None):
        raise InputError(
            "`pretrained` must have plain output projections. Received: LoRA or quantized weights. Use `merge_lora`, "
            "or the model before quantization."
        )
    if kernel.shape[0] != heads:
        raise InputError(f"`pretrained` must have {heads} heads in each block. Received: {kernel.shape[0]}")
    return kernel


def _predictions(predict, ids: dict, batch_size: int, problem: str) -> np.ndarray:
    """Predict the classes of all rows, in batches of rows of similar length: int `[N]`."""
    lengths = row_lengths(ids)
    order = np.argsort(lengths, kind="stable")
    found = np.zeros(len(order), int)
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        logits = np.asarray(predict(trim(ids, lengths, rows, ops.WIDTH_STEP)))[: len(rows)]  # [B, C]
        found[rows] = logits[:, 0] > 0 if problem == "binary" else logits.argmax(-1)
    return found
