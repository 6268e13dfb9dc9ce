"""One frozen object says what a BERT is: every shape and rate of the encoder, and the published sizes."""

import dataclasses
import json
from pathlib import Path

from keras_bert.constants import SENTENCE_TASKS
from keras_bert.errors import InputError

ACTIVATIONS = ("gelu_tanh", "gelu", "relu")
MOST_LAYERS = 1000  # a damaged file may claim 10^9, and be believed for hours


@dataclasses.dataclass(frozen=True)
class BertConfig:
    """The sizes and rates of a BERT encoder; impossible values are refused with one sentence.

    Args:
        vocab_size: number of token ids (rows of the token embedding).
        hidden_size: H, the width of every layer's output; a multiple of `num_heads`.
        num_layers: L, how many transformer blocks, at most 1,000.
        num_heads: A, attention heads a block; each is H / A wide.
        intermediate_size: width inside the feed-forward part; 4 H in every published model.
        max_position_embeddings: the longest sequence, in tokens.
        type_vocab_size: how many segment ids (2: first and second sentence); 0 for none, as in DistilBERT.
        activation: `"gelu_tanh"` (Google's BERT), `"gelu"` (exact, erf; Hugging Face's name for theirs) or `"relu"`.
        hidden_dropout: dropout rate after the embeddings and after both parts of a block, in [0, 1).
        attention_dropout: dropout rate on the attention probabilities, in [0, 1).
        initializer_range: standard deviation of the truncated normal that starts every kernel.
        layer_norm_epsilon: added to the variance in LayerNorm; 1e-12 in Google's BERT.
        embedding_size: E, the width of the three embeddings, which a dense layer then brings to H, as in ALBERT; None
            for H.
        share_blocks: one block, run `num_layers` times, as in ALBERT.
        pooler: False for an encoder without `pooled_output`, as DistilBERT is.

    Raises:
        InputError: a size below 1, too many layers, a rate outside its range, an unknown activation, or H not a
            multiple of A.

    Example:

    >>> BertConfig(vocab_size=8000, hidden_size=128, num_layers=2, num_heads=2, intermediate_size=512).head_size
    64
    >>> BertConfig(hidden_size=100, num_heads=12)
    Traceback (most recent call last):
    ...
    keras_bert.errors.InputError: hidden_size must be a multiple of num_heads. Received: hidden_size=100, num_heads=12

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
            value = getattr(self, field.name)
            if field.type is int or (field.name == "embedding_size" and value is not None):
                least = 0 if field.name == "type_vocab_size" else 1
                if isinstance(value, bool) or not isinstance(value, int) or value < least:
                    kind = "whole number, 0 or more" if least == 0 else "positive whole number"
                    raise InputError(f"{field.name} must be a {kind}. Received: {value!r}")
            elif field.type is bool and not isinstance(value, bool):
                raise InputError(f"{field.name} must be true or false. Received: {value!r}")
            elif field.type is float and (isinstance(value, bool) or not isinstance(value, (int, float))):
                raise InputError(f"{field.name} must be a number. Received: {value!r}")
        if self.num_layers > MOST_LAYERS:
            raise InputError(f"num_layers must be at most {MOST_LAYERS:,}. Received: {self.num_layers:,}")
        for name in ("hidden_dropout", "attention_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 0 and below 1. Received: {getattr(self, name)!r}")
        for name in ("initializer_range", "layer_norm_epsilon"):
            if not 0 < getattr(self, name) < float("inf"):
                raise InputError(f"{name} must be above 0 and finite. Received: {getattr(self, name)!r}")
        if self.activation not in ACTIVATIONS:
            raise InputError(f"activation must be one of {', '.join(ACTIVATIONS)}. Received: {self.activation!r}")
        if self.hidden_size % self.num_heads:
            raise InputError(
                "hidden_size must be a multiple of num_heads. "
                f"Received: hidden_size={self.hidden_size}, num_heads={self.num_heads}"
            )

    @property
    def head_size(self) -> int:
        """Width of one attention head, H / A."""
        return self.hidden_size // self.num_heads

    @classmethod
    def from_preset(cls, name: str, **changes) -> "BertConfig":
        """The config of a published model.

        Args:
            name: one of `PRESETS`, such as `"bert_en_uncased_L-12_H-768_A-12"`; the small ones' `small_bert/` may be
                left out.
            **changes: fields to set otherwise, such as `hidden_dropout=0.0`.

        Returns:
            A `BertConfig`.

        Raises:
            InputError: there is no such preset or field.

        Example:

        >>> BertConfig.from_preset("bert_zh_L-12_H-768_A-12").vocab_size
        21128
        >>> BertConfig.from_preset("bert_en_uncased_L-2_H-128_A-2").num_layers
        2

        Source: the model cards of TF-Hub's BERT collection and of google-research/bert.
        """
        preset = PRESETS.get(name) or PRESETS.get(f"small_bert/{name}")
        if preset is None:
            raise InputError(f"no preset of that name; the known ones are {', '.join(PRESETS)}. Received: {name!r}")
        return cls.from_dict({**preset, **changes})

    def to_dict(self) -> dict:
        """All fields as a plain dict, ready for JSON.

        Example:

        >>> BertConfig().to_dict()["num_layers"]
        12
        """
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict) -> "BertConfig":
        """The config with these fields, the rest at their defaults.

        Raises:
            InputError: a field that does not exist, or an impossible value.

        Example:

        >>> BertConfig.from_dict({"num_layers": 4}).num_layers
        4
        """
        known = [field.name for field in dataclasses.fields(cls)]
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise InputError(f"a config has the fields {', '.join(known)}. Received: {', '.join(unknown)}")
        return cls(**values)

    @classmethod
    def from_json(cls, path: str | Path) -> "BertConfig":
        """The config in a JSON file, as `to_dict` gives it.

        Raises:
            InputError: no such file, no JSON object in it, or fields that make no config.
        """
        try:
            values = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"a config is a JSON file that can be read. Received: {path} ({error})") from None
        if not isinstance(values, dict):
            raise InputError(f"a config file holds one JSON object. Received: {path} with a {type(values).__name__}")
        return cls.from_dict(values)


def _published(layers: int, hidden: int, vocabulary: int = 30522) -> dict:
    # Every published BERT has heads of 64 and a feed-forward part four times as wide (appendix A.2).
    return {
        "vocab_size": vocabulary,
        "hidden_size": hidden,
        "num_layers": layers,
        "num_heads": hidden // 64,
        "intermediate_size": 4 * hidden,
    }


PRESETS: dict[str, dict] = {
    "bert_en_uncased_L-12_H-768_A-12": _published(12, 768),
    "bert_en_uncased_L-24_H-1024_A-16": _published(24, 1024),
    "bert_en_cased_L-12_H-768_A-12": _published(12, 768, 28996),
    "bert_en_cased_L-24_H-1024_A-16": _published(24, 1024, 28996),
    "bert_multi_cased_L-12_H-768_A-12": _published(12, 768, 119547),
    "bert_zh_L-12_H-768_A-12": _published(12, 768, 21128),
    # The 24 of "Well-Read Students Learn Better" (Turc et al. 2019, arXiv:1908.08962), by their TF-Hub names.
    **{
        f"small_bert/bert_en_uncased_L-{layers}_H-{hidden}_A-{hidden // 64}": _published(layers, hidden)
        for layers in (2, 4, 6, 8, 10, 12)
        for hidden in (128, 256, 512, 768)
    },
}


def check_sentence_task(sentence_task: str | None) -> str | None:
    """Validate the second pretraining task.

    Args:
        sentence_task: `"next"`, whether the second segment follows the first or is random (BERT); `"order"`, whether
            two neighboring segments are in order or swapped (ALBERT); or None, masked-LM alone.

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
