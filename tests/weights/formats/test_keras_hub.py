"""KerasHub's models in, and out to compare with: KerasHub computes what ours does."""

from functools import partial

import keras
import keras_hub
import numpy as np
import pytest
from helpers import randomize

import keras_bert as kb
from keras_bert.parity import check
from keras_bert.parity.references import run_keras_hub
from keras_bert.weights import to_keras_hub
from keras_bert.weights.formats import keras_hub as kerashub
from keras_bert.weights.source import load_weights, open_source

SIZES = {
    **dict(vocabulary_size=60, num_layers=3, num_heads=2, hidden_dim=16, intermediate_dim=32),
    **dict(max_sequence_length=20, dropout=0.0),
}
BACKBONES = {
    "Bert": lambda **more: keras_hub.models.BertBackbone(**SIZES, **more),
    "DistilBert": lambda **more: keras_hub.models.DistilBertBackbone(**SIZES, **more),
    "Albert": lambda **more: keras_hub.models.AlbertBackbone(**SIZES, embedding_dim=8, **more),
}
IDS = np.array([[2, 7, 9, 11, 3], [2, 8, 3, 0, 0]], "int32")
TYPES = np.array([[0, 0, 1, 1, 1], [0, 1, 1, 0, 0]], "int32")
ROWS = {"input_word_ids": IDS, "input_mask": np.int32(IDS > 0), "input_type_ids": TYPES}
backbones = pytest.mark.parametrize("name", BACKBONES)


def near(ours: dict, theirs: dict) -> None:
    assert theirs.keys() <= ours.keys() and "sequence_output" in theirs
    for key, value in theirs.items():
        found, value = np.asarray(ours[key]), np.asarray(value)
        if value.ndim == 3:
            found, value = found[IDS > 0], value[IDS > 0]
        np.testing.assert_allclose(found, value, atol=5e-5, rtol=0, err_msg=key)


@backbones
@pytest.mark.parametrize("form", ["preset", "model.keras"])
def test_a_backbone_comes_in_and_goes_out(name, form, tmp_path):
    backbone = randomize(BACKBONES[name]())
    path = tmp_path / form
    backbone.save_to_preset(path) if form == "preset" else backbone.save(path)
    source = open_source(path)
    encoder = kb.BertEncoder(source.config)
    report = load_weights(encoder, source)
    assert report.untouched == [] and report.parameters == backbone.count_params() == encoder.count_params()
    near(encoder(ROWS), run_keras_hub(backbone, ROWS))

    again = to_keras_hub(encoder)
    assert type(again) is type(backbone)
    expected = {weight.path: weight.numpy() for weight in backbone.trainable_weights}
    for weight in again.trainable_weights:
        np.testing.assert_array_equal(weight.numpy(), expected[weight.path])


@backbones
@pytest.mark.parametrize("form", ["preset", "model.keras"])
def test_check_runs_what_kerashub_opened(name, form, tmp_path, monkeypatch):
    backbone = randomize(BACKBONES[name]())
    backbone.save_to_preset(tmp_path / form) if form == "preset" else backbone.save(tmp_path / form)
    report = check(tmp_path / form)
    assert report.passed and report.reference.startswith("KerasHub ") and "opened it itself" in report.reference
    swapped = {"self_attention_layer_norm": "feedforward_layer_norm", "output_layer_norm": "self_attention_layer_norm"}
    monkeypatch.setattr(kerashub, "NAMES", kerashub.NAMES | swapped)
    assert not check(tmp_path / form).passed


@backbones
@pytest.mark.parametrize("form", ["preset", "model.keras"])
def test_what_was_saved_in_bfloat16_is_read_as_it_is_and_checked_in_float32(name, form, tmp_path):
    backbone = randomize(BACKBONES[name](dtype="bfloat16"))
    backbone.save_to_preset(tmp_path / form) if form == "preset" else backbone.save(tmp_path / form)
    source = open_source(tmp_path / form)
    encoder = kb.BertEncoder(source.config)
    assert load_weights(encoder, source).untouched == []
    held = to_keras_hub(encoder)
    assert held.dtype_policy.name == "float32"
    for one, two in zip(held.trainable_weights, backbone.trainable_weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), two.numpy().astype("float32"))
    report = check(tmp_path / form)
    assert report.passed and "opened it itself" in report.reference


@backbones
def test_a_masked_lm_and_a_classifier_with_their_heads(name, tmp_path):
    inputs = {"token_ids": IDS, "padding_mask": ROWS["input_mask"]}
    if name != "DistilBert":
        inputs["segment_ids"] = TYPES
    task = getattr(keras_hub.models, f"{name}MaskedLM")(backbone=BACKBONES[name](), preprocessor=None, activation=None)
    randomize(task).save_to_preset(tmp_path / "masked")
    source = open_source(tmp_path / "masked")
    pretrainer = kb.BertPretrainer(kb.BertEncoder(source.config), sentence_task=None)
    assert load_weights(pretrainer, source).untouched == []
    tensor_mappings = np.array([[1, 3], [1, 2]], "int32")
    ours = pretrainer({**ROWS, "masked_lm_positions": tensor_mappings})["mlm_logits"]
    head = task.masked_lm_head  # its epsilon is 1e-5, and BERT's has the exact GELU: here as the backbone computes
    head._intermediate_layer_norm.epsilon = 1e-12
    head._intermediate_dense.activation = partial(keras.activations.gelu, approximate=name != "DistilBert")
    theirs = np.asarray(task({**inputs, "mask_positions": tensor_mappings}))
    assert theirs.std() > 0.1
    np.testing.assert_allclose(ours, theirs, atol=5e-5, rtol=0)

    kind = getattr(keras_hub.models, f"{name}TextClassifier")
    task = randomize(kind(backbone=BACKBONES[name](), num_classes=3, preprocessor=None))
    task.save_to_preset(tmp_path / "classes")
    source = open_source(tmp_path / "classes")
    classifier = kb.BertClassifier(kb.BertEncoder(source.config), 3)
    assert load_weights(classifier, source).untouched == []
    np.testing.assert_allclose(classifier(ROWS), task(inputs), atol=5e-5, rtol=0)


def test_its_tokenizer_is_our_vocabulary(tmp_path):
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(55))]
    tokenizer = keras_hub.models.BertTokenizer(vocabulary=vocabulary, lowercase=True)
    backbone = BACKBONES["Bert"]()
    backbone.save_to_preset(tmp_path / "preset")
    tokenizer.save_to_preset(tmp_path / "preset")
    found = kb.load_pretrained(tmp_path / "preset")
    assert (found.kind, found.vocabulary, found.lowercase) == ("encoder", vocabulary, True)


def test_our_own_keras_file(tmp_path):
    model = randomize(kb.BertPretrainer(kb.BertEncoder(kb.BertConfig(60, 16, 2, 2, 32))))
    model.save(tmp_path / "ours.keras")
    other = kb.BertPretrainer(kb.BertEncoder(model.encoder.config))
    assert load_weights(other, tmp_path / "ours.keras").untouched == []
    for one, two in zip(model.weights, other.weights, strict=True):
        np.testing.assert_array_equal(one, two)


def test_what_it_is_not(tmp_path):
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)]).save(tmp_path / "other.keras")
    (tmp_path / "broken.keras").write_bytes(b"PK nothing")
    group = keras_hub.models.AlbertBackbone(**{**SIZES, "num_layers": 4}, embedding_dim=8, num_groups=2)
    group.save_to_preset(tmp_path / "groups")
    for path, words in (
        ("other.keras", "expected one of BertBackbone, .* Received: Sequential"),
        ("broken.keras", "a preset or .keras file of KerasHub is expected"),
        ("groups", "num_groups is 1 in every model we know. Received: 2"),
    ):
        with pytest.raises(kb.InputError, match=words) as error:
            open_source(tmp_path / path)
        assert "\n" not in str(error.value)
    with pytest.raises(kb.InputError, match="KerasHub's BERT has activation='gelu_tanh'. Received: activation='gelu'"):
        to_keras_hub(kb.BertEncoder(kb.BertConfig(60, 16, 1, 2, 32, activation="gelu")))
    for changes, words in (
        ({"embedding_size": 8}, "KerasHub's BERT has embedding_size=None. Received: embedding_size=8"),
        ({"type_vocab_size": 0}, "KerasHub's BERT has type_vocab_size=2. Received: type_vocab_size=0"),
        ({"share_blocks": True}, "KerasHub's ALBERT has embedding_size=16. Received: embedding_size=None"),
    ):
        with pytest.raises(kb.InputError, match=words):
            to_keras_hub(kb.BertEncoder(kb.BertConfig(60, 16, 1, 2, 32, **changes)))
