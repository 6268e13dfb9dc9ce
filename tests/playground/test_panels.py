"""What the panels show equals what the library's functions return."""

import base64
import json

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.errors import InputError
from keras_bert.inference.fill_mask import mask_vectorizer
from keras_bert.playground.panels import PANELS
from keras_bert.tasks import Preprocessor

TEXT = "The naïve actors are good, but the story is café-dull!"


def run(models, name, **texts):
    """Run a panel as the server does, through JSON."""
    return json.loads(json.dumps(PANELS[name].run(models, **texts), allow_nan=False))


def logits_of(models, texts):
    from keras_bert.inference import predict_logits

    return np.asarray(predict_logits(models.classifier.model, models.classifier.vectorizer(texts)), np.float64)


def test_every_example_runs(models):
    for name, panel in PANELS.items():
        assert set(panel.example) == set(panel.limits)
        assert all(len(text) <= panel.limits[key] for key, text in panel.example.items())
        assert run(models, name, **panel.example)


def test_tokens(models):
    found = run(models, "tokens", text=f"{TEXT} [MASK] 丈")["tokens"]
    vectorizer = mask_vectorizer(Preprocessor.from_pretrained(models.encoder))
    assert [each["id"] for each in found] == vectorizer.tokenize(f"{TEXT} [MASK] 丈").numpy().tolist()
    assert all(each["text"] == f"{TEXT} [MASK] 丈"[each["start"] : each["end"]] for each in found)
    assert found[-2]["token"] == "[MASK]"


def test_fill_mask(models):
    text = "the [MASK] is [MASK]"
    expected = kb.fill_mask(models.encoder, [text], top_k=8)[0]["masks"]
    for mine, theirs in zip(run(models, "fill-mask", text=text)["masks"], expected, strict=True):
        assert [each["token"] for each in mine] == [each["token"] for each in theirs["predictions"]]
        np.testing.assert_allclose(
            [each["probability"] for each in mine], [each["probability"] for each in theirs["predictions"]], rtol=1e-4
        )
    with pytest.raises(InputError, match=r"\[MASK\]"):
        run(models, "fill-mask", text="no mask")


def test_sentiment(models):
    found = run(models, "sentiment", text=TEXT)
    logits = logits_of(models, [TEXT])[0]
    probabilities = [each["probability"] for each in found["classes"]]
    np.testing.assert_allclose(probabilities, np.exp(logits) / np.exp(logits).sum(), rtol=1e-4)
    assert found["label"] == ["negative", "positive"][logits.argmax()]
    assert found["logit"] == pytest.approx(logits.max(), rel=1e-3)
    change = found["logit"] - found["baseline"]
    total = sum(each["score"] for each in found["words"])
    assert abs(total - change) == pytest.approx(found["completeness_error"] * abs(change), abs=1e-6)
    assert all(each["word"] in (TEXT[each["start"] : each["end"]], "[CLS]", "[SEP]") for each in found["words"])


def test_compare(models):
    first, second = "The film is dull.", "The film is not dull at all."
    found = run(models, "compare", first=first, second=second)
    vectors = kb.embed(models.encoder.encoder, [first, second], normalize=True)
    assert found["cosine"] == pytest.approx(float(vectors[0] @ vectors[1]), abs=1e-5)
    for text, other in ((first, "second"), (second, "first")):
        assert " ".join(each["word"] for each in found["words"] if each["where"] != other) == text
    assert [each["word"] for each in found["words"] if each["where"] == "second"] == ["not", "dull", "at", "all."]
    assert found["results"][1] == run(models, "sentiment", text=second)


def test_nearest(models):
    found = run(models, "nearest", text=models.reviews[7])["sentences"]
    vectors = kb.embed(models.encoder.encoder, models.reviews, normalize=True)
    cosines = vectors @ vectors[7]
    best = np.argsort(-cosines)[:5]
    assert [each["text"] for each in found] == [models.reviews[i] for i in best] and best[0] == 7
    np.testing.assert_allclose([each["cosine"] for each in found], cosines[best], atol=1e-5)
    assert [each["label"] for each in found] == [models.review_labels[i] for i in best]


def test_attention(models):
    found = run(models, "attention", text=TEXT)
    maps = np.frombuffer(base64.b64decode(found["maps"]), "<u2").reshape(found["shape"]) / 65535
    expected = kb.explain.attention(models.classifier, TEXT)
    assert found["tokens"] == expected.tokens
    np.testing.assert_allclose(maps, expected.maps, atol=1e-5)
    gradients = kb.explain.integrated_gradients(models.classifier, TEXT, steps=20)
    np.testing.assert_allclose(found["scores"], gradients.scores, rtol=1e-3, atol=1e-5)


def test_lens(models):
    text = "the [MASK] is good"
    found = run(models, "lens", text=text)
    predicted = kb.fill_mask(models.encoder, [text], top_k=3)[0]["masks"][0]
    last = found["layers"][-1]["predictions"][predicted["position"]]
    assert [each["token"] for each in last] == [each["token"] for each in predicted["predictions"]]
    assert [each["layer"] for each in found["layers"]] == [0, 1, 2]
    assert found["layers"][-1]["agreement"] == 1 and found["layers"][-1]["divergence"] == pytest.approx(0, abs=1e-6)


def test_question(models):
    context = "Anna wrote the letters in 1912."
    found = run(models, "question", question="Who wrote them?", context=context)
    expected = models.spans([("Who wrote them?", context)])[0]
    assert found["answer"] == expected["answer"]
    assert found["answer"] is None or found["answer"] == context[found["start"] : found["end"]]


@pytest.mark.parametrize("name", ["sentiment", "attention", "lens", "nearest"])
def test_long_texts_are_rejected(models, name):
    with pytest.raises(InputError, match="`text` must have from 1 to 126 tokens. Received: 127"):
        run(models, name, text="a " * 127)
    with pytest.raises(InputError, match="`text` must have from 1 to 126 tokens. Received: 0"):
        run(models, name, text="\u200b")


def test_wrong_models(models):
    from keras_bert.playground.models import PlaygroundModels

    with pytest.raises(InputError, match="`--model`"):
        PlaygroundModels(models.classifier, models.classifier)
    with pytest.raises(InputError, match="`--classifier`"):
        PlaygroundModels(models.encoder, models.encoder)
    with pytest.raises(InputError, match="`--spans`"):
        PlaygroundModels(models.encoder, models.classifier, models.predictor)
