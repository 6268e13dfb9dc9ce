"""The configuration of an encoder."""

import dataclasses
import difflib
import json
from pathlib import Path

from keras_bert.constants import SENTENCE_TASKS
from keras_bert.errors import InputError
from keras_bert.presets import PRESETS

ACTIVATIONS = ("gelu_tanh", "gelu", "relu")
MAX_NUM_LAYERS = 1000  # a damaged config file with a huge number would build a model for hours


@dataclasses.dataclass(frozen=True)
class BertConfig:
    """Configuration of a BERT encoder: its sizes, its dropout rates and its variant. It is immutable.

    Args:
        vocab_size: V, the number of token ids (rows of the token embedding).
        hidden_size: H, the size of every block's output; a multiple of `num_heads`.
        num_layers: L, the number of transformer blocks, at most 1,000.
        num_heads: A, the number of attention heads per block; each has the size H / A.
        intermediate_size: F, the size of the feed-forward layer inside a block; 4 H in every published model.
        max_position_embeddings: the longest sequence, in tokens.
        type_vocab_size: the number of segment ids (2: first and second segment); 0 for no segment embedding, as in
            DistilBERT.
        activation: `"gelu_tanh"` (the tanh approximation, Google's BERT), `"gelu"` (the exact one, with erf; Hugging
            Face's `"gelu"`) or `"relu"`.
        hidden_dropout: dropout rate after the embeddings and after both sublayers of a block, in [0, 1).
        attention_dropout: dropout rate of the attention probabilities, in [0, 1).
        initializer_range: standard deviation of the truncated normal initializer.
        layer_norm_epsilon: added to the variance in layer normalization; 1e-12 in Google's BERT.
        embedding_size: E, the size of the embeddings, which a dense layer then projects to H, as in ALBERT; None for H.
        share_blocks: use one block's weights for all `num_layers` blocks, as in ALBERT.
        pooler: False for an encoder without `pooled_output`, as in DistilBERT.

    Raises:
        InputError: a field is outside its range, the activation is unknown, or H is not a multiple of A.

    Example:

    >>> BertConfig(vocab_size=8000, hidden_size=128, num_layers=2, num_heads=2, intermediate_size=512).head_size
    64
    >>> BertConfig(hidden_size=100, num_heads=12)
    Traceback (most recent call last):
    ...
    keras_bert.errors.InputError: `hidden_size` must be a multiple of `num_heads`. Received: hidden_size=100,
    num_heads=12

    Source: Devlin et al. 2018 (arXiv:1810.04805), section 3 and appendix A.2; Sanh et al. 2019 (arXiv:1910.01108),
    section 3, for DistilBERT; Lan et al. 2019 (arXiv:1909.11942), section 3.1, for ALBERT.
    """

    vocab_size: int = 30522
    hidden_size: int = 768
    num_layers: int = 12
    num_heads: int = 12
    intermediate_size: int = 3072
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    activation: str = "gelu_tanh"
    hidden_dropout: float = 0.1
    attention_dropout: float = 0.1
    initializer_range: float = 0.02
    layer_norm_epsilon: float = 1e-12
    embedding_size: int | None = None
    share_blocks: bool = False
    pooler: bool = True

    def __post_init__(self):
        for field in dataclasses.fields(self):
            self._check_type(field, getattr(self, field.name))
        if self.num_layers > MAX_NUM_LAYERS:
            raise _invalid("num_layers", f"at most {MAX_NUM_LAYERS}", self.num_layers)
        for name in ("hidden_dropout", "attention_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise _invalid(name, "at least 0 and below 1", getattr(self, name))
        for name in ("initializer_range", "layer_norm_epsilon"):
            if not 0 < getattr(self, name) < float("inf"):
                raise _invalid(name, "above 0 and finite", getattr(self, name))
        if self.activation not in ACTIVATIONS:
            raise _invalid("activation", f"one of {', '.join(map(repr, ACTIVATIONS))}", self.activation)
        if self.hidden_size % self.num_heads:
            raise InputError(
                "`hidden_size` must be a multiple of `num_heads`. "
                f"Received: hidden_size={self.hidden_size}, num_heads={self.num_heads}"
            )

    @staticmethod
    def _check_type(field: dataclasses.Field, value) -> None:
        if field.type is int or (field.name == "embedding_size" and value is not None):
            minimum = 0 if field.name == "type_vocab_size" else 1
            if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
                raise _invalid(field.name, f"an integer of at least {minimum}", value)
        elif field.type is bool and not isinstance(value, bool):
            raise _invalid(field.name, "True or False", value)
        elif field.type is float and (isinstance(value, bool) or not isinstance(value, (int, float))):
            raise _invalid(field.name, "a number", value)

    @property
    def head_size(self) -> int:
        """Size of one attention head, H / A."""
        return self.hidden_size // self.num_heads

    @classmethod
    def from_preset(cls, name: str, **overrides) -> "BertConfig":
        """Create the config of a published model.

        Args:
            name: one of `PRESETS`, such as `"bert_en_uncased_L-12_H-768_A-12"`, `"distilbert-base-uncased"` or
                `"albert-base-v2"`. The prefix `small_bert/` of the small models may be omitted.
            **overrides: fields to set to other values than the published ones, such as `hidden_dropout=0.0`.

        Returns:
            A `BertConfig`.

        Raises:
            InputError: the preset or a field does not exist, or a value is invalid.

        Example:

        >>> BertConfig.from_preset("bert_zh_L-12_H-768_A-12").vocab_size
        21128
        >>> BertConfig.from_preset("bert_en_uncased_L-2_H-128_A-2").num_layers
        2

        Source: the model cards of TF-Hub's BERT collection, google-research/bert, google-research/albert and Hugging
        Face's DistilBERT.
        """
        preset = PRESETS.get(name) or PRESETS.get(f"small_bert/{name}")
        if preset is None:
            similar = difflib.get_close_matches(str(name), PRESETS, n=3, cutoff=0.6)
            hint = f" Did you mean {' or '.join(similar)}?" if similar else ""
            raise InputError(
                f"`name` must be one of `kb.PRESETS`, such as bert_en_uncased_L-12_H-768_A-12. Received: name={name!r}."
                f"{hint} `keras-bert inspect --list` lists all."
            )
        return cls.from_dict({**preset, **overrides})

    def to_dict(self) -> dict:
        """Return all fields as a dict that can be written as JSON.

        Returns:
            A dict of field name to value.

        Example:

        >>> BertConfig().to_dict()["num_layers"]
        12
        """
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> "BertConfig":
        """Create a config from a dict of fields.

        Args:
            values: dict of field name to value, as `to_dict` returns it. A missing field gets its default value.

        Returns:
            A `BertConfig`.

        Raises:
            InputError: a field does not exist, or a value is invalid.

        Example:

        >>> BertConfig.from_dict({"num_layers": 4}).num_layers
        4
        """
        known = [field.name for field in dataclasses.fields(cls)]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise InputError(f"`values` must have only the keys {', '.join(known)}. Received: {', '.join(unknown)}")
        return cls(**values)

    @classmethod
    def from_json(cls, path: str | Path) -> "BertConfig":
        """Read a config from a JSON file.

        Args:
            path: a file with the dict that `to_dict` returns.

        Returns:
            A `BertConfig`.

        Raises:
            InputError: the file cannot be read, is not a JSON object, or has invalid fields.
        """
        try:
            values = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:  # the last for thousands of nested brackets
            raise InputError(f"`path` must be a readable JSON file. Received: path={path} ({error})") from None
        if not isinstance(values, dict):
            raise InputError(
                f"`path` must be a file with one JSON object. Received: path={path} (a {type(values).__name__})"
            )
        return cls.from_dict(values)


def _invalid(name: str, expected: str, value) -> InputError:
    return InputError(f"`{name}` must be {expected}. Received: {name}={value!r}")


def check_sentence_task(sentence_task: str | None) -> str | None:
    """Validate the name of the second pretraining task.

    Args:
        sentence_task: `"next"`, next sentence prediction: the second segment follows the first or is random (BERT);
            `"order"`, sentence order prediction: two consecutive segments are in order or swapped (ALBERT); or None,
            the masked-LM task only.

    Returns:
        `sentence_task`, unchanged.

    Raises:
        InputError: any other value.

    Example:

    >>> check_sentence_task("order")
    'order'
    """
    if isinstance(sentence_task, bool) or sentence_task not in (*SENTENCE_TASKS, None):
        raise InputError(f'`sentence_task` must be "next", "order" or None. Received: sentence_task={sentence_task!r}')
    return sentence_task
