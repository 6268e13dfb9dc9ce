"""The target of an explanation: the one logit, of one class or one token, whose value is attributed to the tokens."""

import dataclasses

import numpy as np

from keras_bert.errors import InputError
from keras_bert.explain.attribution.explained_model import ExplainedModel
from keras_bert.explain.texts.tokenized_text import TokenizedText
from keras_bert.models.task_model import class_count


@dataclasses.dataclass(frozen=True)
class Target:
    """One logit of a model. A probability is never a target: softmax would mix the evidence for all classes.

    Attributes:
        name: the class, the tag, the token, or `start at "word"`.
        index: the number of the logit.
        position: of a model with logits at each token, the token; None of other models.
        sign: -1 for the first class of a binary classifier with one logit x, whose logit is -x; otherwise 1.

    Source: the logit, not the probability, as in Sundararajan et al. 2017 (arXiv:1703.01365), section 3, where the
    attributions of a linear function are its terms.
    """

    name: str
    index: int
    position: int | None = None
    sign: int = 1

    def __str__(self) -> str:
        return self.name

    def value(self, logits):
        """Return the values `[B]` of the target in logits `[B, K]`."""
        return logits[:, self.index] * self.sign


def find_target(explained: ExplainedModel, text: TokenizedText, target=None) -> Target:
    """Find the logit that a user means.

    Args:
        explained: the model.
        text: the text.
        target: None for what the model predicts. Otherwise, of a classifier the name or the number of a class; of a
            span labeler `"start"` or `"end"`, or a pair of this and the number of a token; of a pretrainer a token at
            the first [MASK], or a pair of a token and the number of a token of the text; of a token classifier a pair
            of a tag and the number of a token.

    Raises:
        InputError: there is no such class, token or position.
    """
    finders = {"span_labeler": _span, "pretrainer": _masked_token, "token_classifier": _tag}
    pairs = explained.model.pairs
    if pairs is not None and pairs != isinstance(text.text, tuple):
        kinds = ("a single text", "a pair of texts")
        raise InputError(f"`text` must be {kinds[pairs]} for this model. Received: {kinds[not pairs]}")
    return finders.get(explained.kind, class_target)(explained, text, target)


def class_target(explained: ExplainedModel, text: TokenizedText, target=None) -> Target:
    """Find the logit of a class by its name or number; of the predicted class without a target."""
    model = explained.model
    count = class_count(model) or model.num_classes
    is_regression = model.problem_type == "regression"
    names = explained.labels or [f"number {i}" if is_regression else str(i) for i in range(count)]
    if is_regression and count == 1:
        names = ["number"]
    is_binary = model.problem_type == "binary"
    if target is None:
        logits = explained.logits_of(text.inputs())[0]  # [C]
        number = int(logits[0] > 0) if is_binary else 0 if is_regression else int(logits.argmax())
    else:
        number = _number(target, names, "the names of the classes")
    sign = -1 if is_binary and number == 0 else 1
    return Target(names[number], 0 if is_binary else number, None, sign)


def _span(explained, text, target) -> Target:
    part, position = target if isinstance(target, tuple) and len(target) == 2 else (target or "start", None)
    if part not in ("start", "end"):
        raise InputError(
            f'`target` must be "start", "end", or a pair of one of them and a token. Received: target={target!r}'
        )
    index = ("start", "end").index(part)
    if position is None:
        position = int(explained.all_logits(text.inputs())[:, index].argmax())
    _check_position(text, position)
    return Target(f'{part} at "{text.tokens[position]}" (token {position})', index, position)


def _masked_token(explained, text, target) -> Target:
    token, position = target if isinstance(target, tuple) and len(target) == 2 else (target, None)
    if position is None:
        masks = np.flatnonzero(text.ids == explained.tokenizer.mask_id)
        if not len(masks):
            raise InputError(f"`text` must have a [MASK] for a masked-LM head. Received: text={text.text!r:.80}")
        position = int(masks[0])
    _check_position(text, position)
    vocabulary = explained.tokenizer.vocabulary
    if token is None:
        index = int(explained.logits_of(text.inputs(), position)[0].argmax())
    else:
        index = _number(token, vocabulary, "tokens of the vocabulary")
    return Target(f'"{vocabulary[index]}" at {text.tokens[position]} (token {position})', index, position)


def _tag(explained, text, target) -> Target:
    if not isinstance(target, tuple) or len(target) != 2:
        raise InputError(
            "`target` must be a pair of a tag and the number of a token for a token classifier, which has logits at "
            f"each token. Received: target={target!r}"
        )
    tag, position = target
    names = explained.labels or [str(i) for i in range(explained.model.num_classes)]
    _check_position(text, position)
    index = _number(tag, names, "the tags")
    return Target(f'{names[index]} at "{text.tokens[position]}" (token {position})', index, position)


def _number(wanted, names: list[str], what: str) -> int:
    """Return the number of a name; a number is returned as it is."""
    if wanted in names:
        return names.index(wanted)
    if isinstance(wanted, int | np.integer) and not isinstance(wanted, bool) and 0 <= wanted < len(names):
        return int(wanted)
    shown = ", ".join(names) if len(names) <= 20 else f"the {len(names):,} {what}"
    raise InputError(f"`target` must be one of {shown}, or a number from 0 to {len(names) - 1}. Received: {wanted!r}")


def _check_position(text: TokenizedText, position) -> None:
    if isinstance(position, bool) or not isinstance(position, int | np.integer) or not 0 <= position < len(text.tokens):
        last = len(text.tokens) - 1
        raise InputError(f"`target` must have a token from 0 to {last}. Received: position={position!r}")
