"""The panels of the playground: functions of texts that call the library and return what the page shows, as JSON."""

import base64
import difflib

import numpy as np

from keras_bert import explain
from keras_bert.errors import InputError
from keras_bert.explain.attribution.context import Context
from keras_bert.explain.attribution.integrated_gradients import integrate
from keras_bert.explain.attribution.target import find_target
from keras_bert.explain.self_attention.text_attention import iterate_attention
from keras_bert.explain.texts.text_model import TextModel
from keras_bert.explain.texts.tokenized_text import TokenizedText
from keras_bert.inference.fill_mask import predict_positions
from keras_bert.playground.models import MAX_TOKENS, PlaygroundModels
from keras_bert.playground.panel import Panel
from keras_bert.tasks.classification import softmax

MAX_CHARACTERS, MAX_CONTEXT = 1000, 4000
MAX_MAPS = 1_200_000  # numbers of the attention of a text, two bytes each
TOP_K, NEAREST, LENS_TOKENS = 8, 5, 3
STEPS = 20  # of integrated gradients: an answer in time; the page shows the completeness error
SPANS_COMMANDS = (
    "keras-bert finetune --encoder bert_en_uncased_mini --task spans --dataset SQUAD_DIR --out answers",
    "keras-bert playground --spans answers",
)


def tokens(models: PlaygroundModels, text: str) -> dict:
    """List the tokens of a text with their ids and their places."""
    names, (ids, places) = models.encoder.vocabulary, models.text_model.tokenizer.split(text)
    return {
        "tokens": [
            {"token": names[i], "id": i, "start": start, "end": end, "text": text[start:end]}
            for i, (start, end) in zip(ids, places, strict=True)
        ],
        "unknown": sum(names[i] == "[UNK]" for i in ids),
    }


def fill_mask(models: PlaygroundModels, text: str) -> dict:
    """Predict the tokens at every [MASK]."""
    row = _tokenize(models.text_model, text)
    positions = np.flatnonzero(row.ids == models.text_model.tokenizer.mask_id)
    if not len(positions):
        raise InputError(f"`text` must have [MASK] in place of a word. Received: {text[:80]!r}")
    return {
        "masks": predict_positions(models.predict_masked, models.encoder.vocabulary, row.inputs(), positions, TOP_K)
    }


def sentiment(models: PlaygroundModels, text: str) -> dict:
    """Predict the class, and attribute its logit to the words by integrated gradients."""
    row = _tokenize(models.explained, text)
    probabilities = softmax(models.explained.logits_of(row.inputs()))[0].tolist()  # [C]
    labels = models.explained.labels or [str(i) for i in range(len(probabilities))]
    target = find_target(models.explained, row, int(np.argmax(probabilities)))
    found = integrate(Context(models.explained, row, target), STEPS)
    return {
        "label": target.name,
        "classes": [{"label": name, "probability": value} for name, value in zip(labels, probabilities, strict=True)],
        "text": text,
        "words": [
            {"word": word, "start": start, "end": end, "score": float(score)}
            for word, (start, end), score in zip(found.words, found.word_spans, found.word_scores, strict=True)
        ],
        "logit": found.value,
        "baseline": found.baseline_value,
        "completeness_error": found.completeness_error,
        "steps": STEPS,
    }


def compare(models: PlaygroundModels, first: str, second: str) -> dict:
    """Compare two sentences: their similarity, their words, and what the classifier predicts for each."""
    results = [sentiment(models, text) for text in (first, second)]
    vectors = models.embed([first, second])  # [2, H]
    return {"cosine": float(vectors[0] @ vectors[1]), "results": results, "words": _word_difference(first, second)}


def nearest(models: PlaygroundModels, text: str) -> dict:
    """Find the sentences of the packaged sample with the most similar vectors."""
    _tokenize(models.text_model, text)
    cosines = models.review_vectors @ models.embed([text])[0]  # [N]
    best = np.argsort(-cosines, kind="stable")[:NEAREST]
    return {
        "sentences": [
            {"text": models.reviews[i], "label": models.review_labels[i], "cosine": float(cosines[i])} for i in best
        ],
        "median": float(np.median(cosines)),
    }


def attention(models: PlaygroundModels, text: str) -> dict:
    """Compute the attention of all heads of the classifier, and the integrated gradients to compare it with."""
    row = _tokenize(models.explained, text)
    (found,) = iterate_attention(models.explained, [row])
    if found.maps.size > MAX_MAPS:
        raise InputError(f"`text` must be shorter for this model. Received: {len(found.tokens)} tokens")
    scores = integrate(Context(models.explained, row, find_target(models.explained, row)), STEPS)
    numbers = np.round(found.maps * 65535).astype("<u2")  # [L, A, T, T]
    return {
        "tokens": found.tokens,
        "shape": list(found.maps.shape),
        "maps": base64.b64encode(numbers.tobytes()).decode(),  # a quarter of the size of decimal numbers
        "scores": scores.scores.tolist(),
        "target": scores.target.name,
    }


def lens(models: PlaygroundModels, text: str) -> dict:
    """Predict the token at every position from the output of every layer."""
    _tokenize(models.text_model, text)
    found = explain.logit_lens(models.lens_model, text, top_k=LENS_TOKENS)
    layers = [
        {
            "layer": layer,
            "agreement": float(found.agreement[i]),
            "divergence": float(found.kl[i].mean()),
            "predictions": [
                [{"token": token, "probability": float(p)} for token, p in zip(*cell, strict=True)]
                for cell in zip(found.top_tokens[i], found.top_probabilities[i], strict=True)
            ],
        }
        for i, layer in enumerate(found.layers)
    ]
    return {"tokens": found.tokens, "layers": layers}


def question(models: PlaygroundModels, question: str, context: str) -> dict:
    """Find the answer to a question in a text."""
    found = models.spans([(question, context)])[0]
    kept = ("answer", "start", "end", "score", "null_score")
    return {"context": context, **{name: found[name] for name in kept}}


def _tokenize(model: TextModel, text: str) -> TokenizedText:
    """Tokenize a text. One without a token, or with too many, is an InputError: the time of an answer grows with them.

    The tokenizers of `explain` run in Python: for one text they take less time than the graph of a vectorizer.
    """
    count = len(model.tokenizer.split(text)[0])
    if not 1 <= count <= MAX_TOKENS - 2:
        raise InputError(f"`text` must have from 1 to {MAX_TOKENS - 2} tokens. Received: {count} tokens")
    return model.tokenizer(text)


def _word_difference(first: str, second: str) -> list[dict]:
    """Return the words of both texts in order: `both`, `first` or `second` says where a word is."""
    one, two = first.split(), second.split()
    found = []
    for _, a, b, c, d in difflib.SequenceMatcher(None, one, two, autojunk=False).get_opcodes():
        if one[a:b] == two[c:d]:
            found += [{"word": word, "where": "both"} for word in one[a:b]]
        else:
            found += [{"word": word, "where": "first"} for word in one[a:b]]
            found += [{"word": word, "where": "second"} for word in two[c:d]]
    return found


TEXT = {"text": MAX_CHARACTERS}
PANELS: dict[str, Panel] = {
    "tokens": Panel(tokens, {"text": "An unforgettable film: naïve, funny and café-chic!"}, TEXT),
    "fill-mask": Panel(fill_mask, {"text": "she opened the [MASK] and went into the [MASK] ."}, TEXT),
    "sentiment": Panel(sentiment, {"text": "A warm, funny film, although the ending is a little dull."}, TEXT),
    "compare": Panel(
        compare,
        {"first": "The film is a delight.", "second": "The film is not a delight."},
        {"first": MAX_CHARACTERS, "second": MAX_CHARACTERS},
    ),
    "nearest": Panel(nearest, {"text": "The songs are better than the story."}, TEXT),
    "attention": Panel(attention, {"text": "The actors are good, but the story is dull."}, TEXT),
    "lens": Panel(lens, {"text": "the capital of france is [MASK] ."}, TEXT),
    "question": Panel(
        question,
        {"question": "Who wrote the letters?", "context": "Anna wrote the letters in 1912, and her brother kept them."},
        {"question": MAX_CHARACTERS, "context": MAX_CONTEXT},
        lambda models: models.spans is not None,
        SPANS_COMMANDS,
    ),
}
