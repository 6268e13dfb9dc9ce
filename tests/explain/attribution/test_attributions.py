"""Attributions against finite differences, brute force, and the properties that their papers state."""

import numpy as np
import pytest
from keras import ops

import keras_bert as kb
from keras_bert.explain import (
    attention,
    gradient,
    gradient_x_input,
    integrated_gradients,
    layer_conductance,
    layer_integrated_gradients,
    occlusion,
)
from keras_bert.explain.attribution.context import Context
from keras_bert.explain.attribution.explained_model import open_explained
from keras_bert.models.task_model import head_weights
from tests.helpers import randomize, tiny_config

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
VOCABULARY = [*SPECIAL, "the", "cafe", "##s", "un", "##believ", "##able", "film", "!", "[E1]", "who", "##e"]
TEXT = "The  Café\u0301s! Unbelievable [E1] film"


@pytest.fixture(scope="module")
def vectorizer():
    return kb.BertTextVectorization(VOCABULARY, sequence_length=24, added_tokens=["[E1]"])


@pytest.fixture(scope="module")
def encoder():
    return randomize(kb.BertEncoder(tiny_config(vocab_size=len(VOCABULARY), hidden_dropout=0.1)))


def make(kind, encoder):
    heads = {
        "single_label": lambda: kb.BertClassifier(encoder, 3),
        "binary": lambda: kb.BertClassifier(encoder, 1),
        "multi_label": lambda: kb.BertClassifier(encoder, 3, problem_type="multi_label"),
        "regression": lambda: kb.BertClassifier(encoder, 1, problem_type="regression"),
        "mean": lambda: kb.BertFeatureClassifier(encoder, 2, pool="mean"),
        "pooled": lambda: kb.BertFeatureClassifier(encoder, 2, pool="pooled"),
        "second-to-last": lambda: kb.BertFeatureClassifier(encoder, 2, pool="second-to-last"),
        "spans": lambda: kb.BertSpanLabeler(encoder),
        "tokens": lambda: kb.BertTokenClassifier(encoder, 3),
        "masked_lm": lambda: kb.BertPretrainer(encoder, None),
    }
    model = heads[kind]()
    for weight in head_weights(model):
        weight.assign(np.random.default_rng(5).normal(0, 0.5, weight.shape))
    return model


@pytest.fixture(scope="module")
def classifier(encoder):
    return make("single_label", encoder)


def own_logit(model, inputs, target):
    """The target's logit, from the model's own call."""
    if isinstance(model, kb.BertPretrainer):
        outputs = model({**inputs, "masked_lm_positions": np.array([[target.position]])})["mlm_logits"][0, 0]
    elif isinstance(model, kb.BertSpanLabeler):
        outputs = ops.stack([model(inputs)[f"{part}_logits"][0, target.position] for part in ("start", "end")])
    else:
        outputs = model(inputs)[0]
        outputs = outputs if target.position is None else outputs[target.position]
    return target.sign * float(outputs[target.index])


CASES = [
    ("single_label", None, None),
    ("single_label", 2, "2"),
    ("binary", 0, "0"),
    ("binary", 1, "1"),
    ("multi_label", 1, "1"),
    ("regression", None, "number"),
    ("mean", None, None),
    ("pooled", 0, "0"),
    ("second-to-last", 0, "0"),
    ("spans", None, None),
    ("spans", ("end", 5), 'end at "##e" (token 5)'),
    ("tokens", (2, 3), '2 at "cafe" (token 3)'),
    ("masked_lm", "film", '"film" at [MASK] (token 2)'),
    ("masked_lm", None, None),
]


@pytest.mark.parametrize(("kind", "target", "name"), CASES)
def test_every_head(kind, target, name, encoder, vectorizer):
    """The value is the model's own logit, and the scores are complete: for one text and for a pair."""
    model = make(kind, encoder)
    text = "the [MASK] cafes film!" if kind == "masked_lm" else ("the film", "cafee unbelievable!")
    if kind not in ("masked_lm", "spans"):
        text = "the un cafe films" if target == (2, 3) else text
    found = integrated_gradients((model, vectorizer), text, target)
    assert name is None or found.target.name == name
    vector = kb.BertTextVectorization(
        VOCABULARY, sequence_length=len(found.tokens), added_tokens=["[E1]"], special_tokens=kind == "masked_lm"
    )
    inputs = vector(tuple([each] for each in text) if isinstance(text, tuple) else [text])
    inputs = {key: np.asarray(value) for key, value in inputs.items()}
    assert [VOCABULARY[i] for i in inputs["input_word_ids"][0]] == found.tokens
    assert found.value == pytest.approx(own_logit(model, inputs, found.target), abs=1e-5)
    assert found.completeness_error < 0.01
    if kind == "single_label" and target is None:
        assert found.target.index == int(ops.argmax(model(inputs)[0]))


def test_gradients_equal_finite_differences(classifier, vectorizer):
    context = Context.create((classifier, vectorizer), TEXT, 1)
    x = context.state(context.text.ids[None])[0]  # [T, H]
    rng, step = np.random.default_rng(0), 1e-2
    directions = rng.standard_normal((5, *x.shape)).astype("float32")
    _, analytic = context.gradients(x[None])
    for direction in directions:
        up, down = (context.gradients((x + s * direction)[None])[0][0] for s in (step, -step))
        assert (up - down) / (2 * step) == pytest.approx((analytic[0] * direction).sum(), rel=2e-2, abs=2e-3)
    np.testing.assert_allclose(
        gradient((classifier, vectorizer), TEXT, 1).scores, np.linalg.norm(analytic[0], axis=-1), rtol=1e-5
    )
    found = gradient_x_input((classifier, vectorizer), TEXT, 1)
    np.testing.assert_allclose(found.scores, (x * analytic[0]).sum(-1), atol=1e-5)


@pytest.mark.parametrize("mode", ["mask", "delete"])
def test_occlusion_is_brute_force(mode, classifier, vectorizer):
    found = occlusion((classifier, vectorizer), TEXT, 2, mode)
    ids = [VOCABULARY.index(token) for token in found.tokens]

    def logit(ids):
        ids = np.array([ids])
        return float(
            classifier({"input_word_ids": ids, "input_mask": np.ones_like(ids), "input_type_ids": 0 * ids})[0, 2]
        )

    expected = [0.0]
    for i in range(1, len(ids) - 1):
        middle = [] if mode == "delete" else [4]
        expected.append(logit(ids) - logit([*ids[:i], *middle, *ids[i + 1 :]]))
    np.testing.assert_allclose(found.scores, [*expected, 0.0], atol=1e-5)
    rest = [] if mode == "delete" else [4] * (len(ids) - 2)
    assert found.baseline_value == pytest.approx(logit([2, *rest, 3]), abs=1e-5) and found.settings["mode"] == mode


def test_layers(classifier, vectorizer):
    pair = (classifier, vectorizer)
    whole, conductance = integrated_gradients(pair, TEXT, 1), layer_conductance(pair, TEXT, 1, steps=200)
    assert conductance.scores.shape == (3, len(whole.tokens))
    np.testing.assert_allclose(conductance.scores[0], whole.scores, atol=2e-3)
    np.testing.assert_allclose(conductance.scores.sum(1), whole.value - whole.baseline_value, rtol=1e-3)
    assert conductance.completeness_errors.max() < 1e-3
    few = layer_conductance(pair, TEXT, 1, steps=3)
    assert few.completeness_errors.max() > conductance.completeness_errors.max()
    for layer in (1, 2):
        found = layer_integrated_gradients(pair, TEXT, 1, layer=layer)
        assert found.completeness_error < 0.01 and found.settings["layer"] == layer
    assert not found.scores[1:].any()  # the head reads only [CLS] of the last layer


def test_batches_change_nothing(classifier, vectorizer, monkeypatch):
    found = [layer_conductance((classifier, vectorizer), TEXT, steps=7).scores]
    monkeypatch.setattr("keras_bert.explain.attribution.explained_model.TOKENS_PER_BATCH", 100)
    found.append(layer_conductance((classifier, vectorizer), TEXT, steps=7).scores)
    np.testing.assert_allclose(*found, atol=1e-5)


@pytest.mark.parametrize(("kind", "target"), [("single_label", 1), ("binary", 0), ("mean", None), ("masked_lm", None)])
def test_graphs_give_the_same_scores(kind, target, encoder, vectorizer):
    """One graph is traced for texts of all lengths."""
    pair = make(kind, encoder), vectorizer
    compiled = open_explained(pair, compiled=True)
    for text in ("the [MASK] film", "the [MASK] cafes film! un"):
        for method in (integrated_gradients, gradient_x_input, occlusion):
            expected, found = method(pair, text, target), method(compiled, text, target)
            assert found.target == expected.target and found.value == pytest.approx(expected.value, abs=1e-5)
            np.testing.assert_allclose(found.scores, expected.scores, atol=1e-5)
    if kind == "single_label":
        np.testing.assert_allclose(attention(compiled, text).maps, attention(pair, text).maps, atol=1e-6)


def test_each_layer_has_its_own_graph(classifier, vectorizer):
    compiled = open_explained((classifier, vectorizer), compiled=True)
    for layer in (0, 1):
        expected = layer_integrated_gradients((classifier, vectorizer), TEXT, 1, layer=layer)
        found = layer_integrated_gradients(compiled, TEXT, 1, layer=layer)
        np.testing.assert_allclose(found.scores, expected.scores, atol=1e-5)


def test_weights_are_read_at_each_call(classifier, vectorizer):
    """A graph does not keep the weights of its first call."""
    compiled = open_explained((classifier, vectorizer), compiled=True)
    before, kernel = integrated_gradients(compiled, TEXT, 1), classifier.head.kernel.numpy()
    classifier.head.kernel.assign(2 * kernel)
    np.testing.assert_allclose(integrated_gradients(compiled, TEXT, 1).scores, 2 * before.scores, rtol=1e-4, atol=1e-6)
    classifier.head.kernel.assign(kernel)


def test_places_in_the_text(classifier, vectorizer):
    found = integrated_gradients((classifier, vectorizer), TEXT)
    tokens = ["[CLS]", "the", "cafe", "##s", "!", "un", "##believ", "##able", "[E1]", "film", "[SEP]"]
    assert found.tokens == tokens
    assert found.words == ["[CLS]", "The", "Café\u0301s", "!", "Unbelievable", "[E1]", "film", "[SEP]"]
    assert [TEXT[start:end] for start, end in found.spans[1:4]] == ["The", "Café\u0301", "s"]
    offsets = vectorizer.offset_mapping([TEXT], sequence_length=len(tokens))[0]
    assert [start for start, _ in found.spans] == offsets[:, 0].tolist()
    np.testing.assert_allclose(found.word_scores[2], found.scores[2:4].sum())
    np.testing.assert_allclose(found.word_scores.sum(), found.scores.sum())
    parts = [found.span_score(start, start + 5) for start in range(0, len(TEXT), 5) if start + 5 <= len(TEXT)]
    parts.append(found.span_score(5 * len(parts), len(TEXT)) if len(TEXT) % 5 else 0)
    np.testing.assert_allclose(sum(parts), found.scores[1:-1].sum())


def test_sources_are_equal(classifier, vectorizer, tmp_path):
    """A loaded model, a pair, a model with its vectorizer, and the argument give the same scores, with class names."""
    names = ["bad", "mixed", "good"]
    loaded = kb.load_pretrained(kb.save_pretrained(classifier, tmp_path / "model", vectorizer, labels=names))
    found = [
        integrated_gradients(loaded, TEXT, "good"),
        integrated_gradients((classifier, vectorizer), TEXT, 2),
        integrated_gradients(loaded.model, TEXT, 2),
        integrated_gradients(classifier, TEXT, 2, vectorizer=vectorizer),
    ]
    assert found[0].target.name == found[2].target.name == "good"
    for each in found[1:]:
        np.testing.assert_array_equal(each.scores, found[0].scores)
    with pytest.raises(kb.InputError, match="^`target`.*bad, mixed, good.*Received: 'fine'"):
        integrated_gradients(loaded, TEXT, "fine")


@pytest.mark.parametrize(
    ("kind", "text", "options", "match"),
    [
        ("single_label", " \t", {}, "^`text`.*Received"),
        ("single_label", 3, {}, "^`text`.*Received: text=3"),
        ("single_label", ("a", "b", "c"), {}, "^`text`.*second. tuple"),
        ("single_label", "film " * 40, {}, "^`text`.*at most 24 tokens.*Received: 42"),
        ("single_label", "film", {"target": "good"}, "^`target`.*0, 1, 2.*Received: 'good'"),
        ("single_label", "film", {"target": 3}, "^`target`.*Received: 3"),
        ("single_label", "film", {"steps": 0}, "^`steps`.*Received: steps=0"),
        ("single_label", "film", {"layer": 3}, "^`layer`.*to 2.*Received: layer=3"),
        ("second-to-last", "film", {"layer": 2}, '^`layer`.*to 1 with pool="second-to-last"'),
        ("masked_lm", "film", {}, r"^`text`.*\[MASK\]"),
        ("masked_lm", "[MASK]", {"target": "films"}, "^`target`.*##believ.*from 0 to 15.*Received: 'films'"),
        ("spans", ("who", "film"), {"target": "middle"}, '^`target`.*"start", "end"'),
        ("spans", ("who", "film"), {"target": ("end", 99)}, "^`target`.*from 0 to 4.*Received: position=99"),
        ("tokens", "film", {}, "^`target`.*pair of a tag"),
    ],
)
def test_rejects(kind, text, options, match, encoder, vectorizer):
    with pytest.raises(kb.InputError, match=match) as error:
        layer_integrated_gradients((make(kind, encoder), vectorizer), text, **options)
    assert "\n" not in str(error.value)


def test_rejects_models_and_modes(encoder, classifier, vectorizer):
    with pytest.raises(kb.InputError, match="^`pretrained` must have a head.*kind encoder.*kb.finetune"):
        integrated_gradients((encoder, vectorizer), "film")
    with pytest.raises(kb.InputError, match="^`pretrained`.*Received: 'sst2_sentiment'"):
        integrated_gradients("sst2_sentiment", "film")
    with pytest.raises(kb.InputError, match="^`pretrained` must have a vectorizer"):
        integrated_gradients(make("mean", kb.BertEncoder(encoder.config)), "film")
    with pytest.raises(kb.InputError, match="^`mode`.*Received: mode='drop'"):
        occlusion((classifier, vectorizer), "film", mode="drop")
    with pytest.raises(kb.InputError, match='^`mode` must be "mask" for a target at a token'):
        occlusion((make("spans", encoder), vectorizer), ("who", "film"), mode="delete")
    model = make("single_label", encoder)
    model.pairs = True
    with pytest.raises(kb.InputError, match="^`text` must be a pair.*Received: a single text"):
        occlusion((model, vectorizer), "film")
