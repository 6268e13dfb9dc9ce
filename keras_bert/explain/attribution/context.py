"""What an attribution method needs: the model, the tokenized text, the target, and the baseline."""

import dataclasses

import numpy as np

from keras_bert.errors import InputError
from keras_bert.explain.attribution.explained_model import ExplainedModel, open_explained
from keras_bert.explain.attribution.gradients import to_array
from keras_bert.explain.attribution.result import Attribution
from keras_bert.explain.attribution.target import Target, find_target
from keras_bert.explain.texts.tokenized_text import Text, TokenizedText

BASELINE = "[PAD] in place of each token, [CLS] and [SEP] kept"


@dataclasses.dataclass(frozen=True)
class Context:
    """One text to explain.

    Attributes:
        explained: the `ExplainedModel`.
        text: the `TokenizedText`.
        target: the `Target`.
    """

    explained: ExplainedModel
    text: TokenizedText
    target: Target

    @classmethod
    def create(cls, pretrained, text: Text, target=None, vectorizer=None) -> "Context":
        """Create a context from the arguments that all attribution methods have, see `integrated_gradients`."""
        explained = open_explained(pretrained, vectorizer)
        tokenized = explained.tokenizer(text)
        return cls(explained, tokenized, find_target(explained, tokenized, target))

    @property
    def baseline_ids(self) -> np.ndarray:
        """int `[T]`: the ids of `BASELINE`."""
        return np.where(self.text.is_special, self.text.ids, self.explained.tokenizer.pad_id)

    def values(self, ids: np.ndarray) -> np.ndarray:
        """Compute the target of rows of ids `[B, T]`, float64 `[B]`."""
        logits = self.explained.logits_of(self.text.inputs(ids), self.target.position)
        return np.asarray(self.target.value(logits), "float64")

    def state(self, ids: np.ndarray, layer: int = 0) -> np.ndarray:
        """Compute the output of a layer for rows of ids `[B, T]`, float32 `[B, T, H]`."""
        inputs = self.text.inputs(ids)
        states = self.explained.states(self.explained.embed(inputs), inputs["input_mask"], last=layer)
        return to_array(states[-1])

    def value_of(self, x, first: int = 0, offsets=None) -> tuple:
        """Compute the values `[B]` of the target from the output of a layer `[B, T, H]`, and the hidden states."""
        mask = np.ones(x.shape[:2], "int32")
        states = self.explained.states(x, mask, first, offsets=offsets)
        return self.target.value(self.explained.logits(states, mask, self.target.position)), states

    def gradients(self, states: np.ndarray, layer: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """Compute the target and its gradient with respect to the output of a layer.

        Args:
            states: float `[B, T, H]`, outputs of the layer.
            layer: the layer.

        Returns:
            The values, float64 `[B]`, and the gradients, float32 `[B, T, H]`.
        """
        values, gradients = self.explained.gradients(states, self.target, layer)
        return values.astype("float64"), gradients

    def check_layer(self, layer: int) -> None:
        """Raise InputError if the target is no function of the output of a layer."""
        last = self.explained.last_layer
        if isinstance(layer, bool) or not isinstance(layer, int | np.integer) or not 0 <= layer <= last:
            reason = "" if last == self.explained.num_layers else f' with pool="{self.explained.model.pool}"'
            raise InputError(
                f"`layer` must be from 0, the embedding layer, to {last}{reason}. Received: layer={layer!r}"
            )

    def attribution(self, scores, value: float, baseline_value, method: str, **settings) -> Attribution:
        """Return the result of a method."""
        baseline_value = None if baseline_value is None else float(baseline_value)
        scores = np.asarray(scores, "float64")
        return Attribution(self.text, scores, self.target, float(value), baseline_value, method, settings)


def check_steps(steps: int) -> None:
    """Raise InputError if `steps` is no integer of at least 1."""
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 1:
        raise InputError(f"`steps` must be an integer of at least 1. Received: steps={steps!r}")
