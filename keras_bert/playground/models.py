"""The models of the playground, and what is computed once at its start."""

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
from keras import ops

from keras_bert.catalog.bundled import ENCODER, SENTIMENT
from keras_bert.data import load_labeled
from keras_bert.errors import InputError
from keras_bert.explain.attribution.explained_model import ExplainedModel, open_explained
from keras_bert.explain.texts.text_model import TextModel, open_model
from keras_bert.explain.texts.tokenized_text import padded_inputs
from keras_bert.inference.embed import embed
from keras_bert.inference.predictor import Predictor
from keras_bert.models.pooling import pool_outputs
from keras_bert.playground.panel import Panel
from keras_bert.weights import load_pretrained

MAX_TOKENS = 128  # of a text: the time of an answer grows with it


class PlaygroundModels:
    """The models that the panels use.

    Args:
        encoder: what `kb.load_pretrained` returns for a pretrainer: masked tokens, similarity and the logit lens.
        classifier: the same for a classifier: sentiment and attention.
        spans: a `Predictor` of a span labeler for questions, or None.
        names: how the page calls the first two.

    Attributes:
        reviews: the sentences of the packaged sample in which the nearest ones are found.
        review_labels: their labels.

    Raises:
        InputError: a model is of another kind.
    """

    def __init__(self, encoder, classifier, spans: Predictor | None = None, names: tuple[str, str] | None = None):
        if encoder.kind != "pretrainer":
            raise InputError(
                f"`--model` must be a pretrained model with a masked-LM head. Received: a model of kind {encoder.kind}"
            )
        self.predictor = Predictor(classifier.model) if classifier.kind == "classifier" else None
        if self.predictor is None or self.predictor.task != "classification":
            raise InputError(
                "`--classifier` must be a classifier with one class per text. "
                f"Received: a model of kind {classifier.kind}"
            )
        if spans is not None and spans.task != "spans":
            raise InputError(f"`--spans` must be a model of answers in a text. Received: a model for {spans.task}")
        self.encoder, self.classifier, self.spans = encoder, classifier, spans
        self.names = names or ("a pretrained model", "a classifier")
        sample = load_labeled("sample")
        self.reviews, self.review_labels = list(sample.dev_texts), [sample.label_names[i] for i in sample.dev_labels]

    @functools.cached_property
    def explained(self) -> ExplainedModel:
        """The classifier as the attribution methods use it."""
        return open_explained(self.classifier, compiled=True)

    @functools.cached_property
    def text_model(self) -> TextModel:
        """The encoder with a tokenizer that keeps special tokens whole, as in `kb.fill_mask`."""
        return open_model(self.encoder, compiled=True)

    @functools.cached_property
    def lens_model(self) -> TextModel:
        """The same with only `[MASK]` whole, as in `kb.explain.logit_lens`."""
        return open_model(self.encoder, special_tokens=("[MASK]",), compiled=True)

    @functools.cached_property
    def embedding_model(self) -> TextModel:
        """The same with no special token whole, as in `kb.embed`."""
        return open_model(self.encoder, special_tokens=(), compiled=True)

    @functools.cached_property
    def review_vectors(self) -> np.ndarray:
        """Vectors of length 1 of the reviews, float32 `[N, H]`."""
        return embed(self.encoder.encoder, self.reviews, normalize=True)

    def embed(self, texts: list[str]) -> np.ndarray:
        """Compute the vectors of `kb.embed` for a few texts, float32 `[N, H]`, in a graph that is traced once."""
        opened = self.embedding_model
        inputs = padded_inputs(opened.tokenize(texts, truncate=True), opened.tokenizer.pad_id)
        return ops.convert_to_numpy(opened.run(_mean_vectors, inputs))

    def predict_masked(self, inputs: dict) -> dict[str, np.ndarray]:
        """Compute the outputs of the pretrainer for its inputs, in a graph that is traced once."""
        outputs = self.text_model.run(_outputs, inputs)
        return {name: ops.convert_to_numpy(value) for name, value in outputs.items()}

    def warm_up(self, panels: dict[str, Panel], show: Callable[[str], None]) -> None:
        """Compute what the panels need once, so that the first request is not slower than the others.

        Args:
            panels: the panels by name.
            show: function that is called with a line of text before each step.
        """
        show(f"computing the vectors of {len(self.reviews):,} reviews of the packaged sample")
        _ = self.review_vectors
        show("running each panel once")
        for panel in panels.values():
            if panel.available(self):
                panel.run(self, **panel.example)

    def facts(self) -> dict:
        """Return what the page says about the models."""
        config = self.encoder.encoder.config
        return {
            "encoder": self.names[0],
            "classifier": self.names[1],
            "labels": self.classifier.labels,
            "layers": config.num_layers,
            "reviews": len(self.reviews),
            "max_tokens": MAX_TOKENS,
            "question": self.spans is not None,
        }


def _mean_vectors(opened: TextModel, inputs: dict):
    outputs = opened.encoder(inputs, training=False)
    return pool_outputs(outputs, inputs["input_mask"], "mean", normalize=True)  # [N, H]


def _outputs(opened: TextModel, inputs: dict) -> dict:
    return opened.model(inputs, training=False)


def load_models(encoder: str = ENCODER, classifier: str = SENTIMENT, spans: str | None = None) -> PlaygroundModels:
    """Load the models by name or folder.

    Args:
        encoder: a pretrained model with a masked-LM head.
        classifier: a classifier.
        spans: a span labeler, or None.

    Raises:
        InputError: a model does not exist, or is of another kind.
    """
    names = tuple(Path(each).name for each in (encoder, classifier))
    predictor = None if spans is None else Predictor(spans)
    return PlaygroundModels(load_pretrained(encoder), load_pretrained(classifier), predictor, names)
