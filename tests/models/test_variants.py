"""DistilBERT, ALBERT and blocks of one's own: the same encoder, other configs."""

import keras
import numpy as np
import pytest

import keras_bert as kb
from keras_bert import ops as fused
from keras_bert.layers import TransformerBlock
from keras_bert.training import freeze

SIZES = {
    **dict(vocab_size=60, hidden_size=16, num_layers=3, num_heads=2, intermediate_size=32),
    **dict(hidden_dropout=0.0, attention_dropout=0.0, max_position_embeddings=12),
}
VARIANTS = {
    "BERT": {},
    "DistilBERT": {"type_vocab_size": 0, "pooler": False},
    "ALBERT": {"embedding_size": 8, "share_blocks": True},
}
IDS = np.array([[2, 7, 9, 11, 3], [2, 8, 3, 0, 0]], "int32")
ROWS = {"input_word_ids": IDS, "input_mask": np.int32(IDS > 0), "input_type_ids": np.int32(IDS == 3)}
variants = pytest.mark.parametrize("variant", VARIANTS)


def make(variant, **changes):
    keras.utils.set_random_seed(1)
    encoder = kb.BertEncoder(kb.BertConfig(**SIZES, **VARIANTS[variant]), **changes)
    rng = np.random.default_rng(0)
    for weight in encoder.weights:  # fresh biases and norms would hide mistakes in them
        weight.assign(keras.ops.convert_to_numpy(weight) + rng.normal(0, 0.2, weight.shape))
    return encoder


def outputs(model, **how):
    return {name: keras.ops.convert_to_numpy(value) for name, value in model(ROWS, **how).items()}


def same(one, other, atol=0.0):
    assert one.keys() == other.keys()
    for name, value in one.items():
        np.testing.assert_allclose(other[name], value, atol=atol, rtol=0)


@pytest.mark.parametrize(
    ("preset", "changes", "parameters"),
    [
        # As their papers' models are published: transformers' AlbertModel and DistilBertModel count the same.
        ("bert_en_uncased_L-12_H-768_A-12", {"type_vocab_size": 0, "pooler": False, "num_layers": 6}, 66_362_880),
        (
            "bert_en_uncased_L-12_H-768_A-12",
            {"vocab_size": 30000, "embedding_size": 128, "share_blocks": True},
            11_683_584,
        ),
    ],
)
def test_parameters_are_those_of_the_published_models(preset, changes, parameters):
    encoder = kb.BertEncoder(kb.BertConfig.from_preset(preset, **changes))
    assert encoder.count_params() == parameters


@variants
def test_the_fused_forms_are_the_plain_ones(variant):
    encoder = make(variant)
    with fused.without():
        plain = outputs(encoder)
    assert ("pooled_output" in plain) == (variant != "DistilBERT")
    same(plain, outputs(encoder), 2e-5)
    same(plain, outputs(encoder, training=True), 2e-5)


@variants
def test_segments_count_unless_there_are_none(variant):
    encoder = make(variant)
    before = outputs(encoder)["sequence_output"]
    other = keras.ops.convert_to_numpy(encoder({**ROWS, "input_type_ids": 0 * IDS})["sequence_output"])
    assert (np.abs(before - other).max() > 1e-3) == (variant != "DistilBERT")


def test_albert_runs_one_block_as_often_as_it_has_layers():
    encoder = make("ALBERT")
    assert len(encoder.blocks) == 3 and len({id(block) for block in encoder.blocks}) == 1
    x = encoder.embeddings(ROWS["input_word_ids"], ROWS["input_type_ids"])
    assert tuple(encoder.embeddings.word_embeddings.embeddings.shape) == (60, 8)
    for i in range(3):
        x = encoder.blocks[0](x, ROWS["input_mask"])
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(x), outputs(encoder)[f"encoder_outputs_{i}"], atol=1e-5, rtol=0
        )
    freeze(encoder, 1)
    assert not encoder.blocks[2].trainable


@variants
def test_saved_and_loaded(variant, tmp_path):
    classifier = kb.BertClassifier(make(variant), num_classes=3)
    classifier.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.encoder.config == classifier.encoder.config
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(loaded(ROWS)), keras.ops.convert_to_numpy(classifier(ROWS))
    )


@variants
def test_onnx_gives_the_same(variant, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    from keras_bert.export import export_onnx

    for model in (make(variant), kb.BertClassifier(make(variant), 3)):
        path = export_onnx(model, tmp_path / "onnx") / "model.onnx"
        session = runtime.InferenceSession(str(path))
        names = [output.name for output in session.get_outputs()]
        found = dict(zip(names, session.run(names, ROWS), strict=True))
        expected = model(ROWS)
        expected = expected if isinstance(expected, dict) else {"logits": expected}
        for name in set(names) & set(expected):
            np.testing.assert_allclose(found[name], keras.ops.convert_to_numpy(expected[name]), atol=2e-5, rtol=0)
        if variant == "ALBERT":
            assert path.stat().st_size < 4 * model.count_params() + 20_000  # the block's weights once


def test_without_a_pooler_the_classifier_has_its_own_and_nothing_else_pools(tmp_path):
    encoder = make("DistilBERT")
    classifier = kb.BertClassifier(encoder, 2, dropout=0.0)
    kernel, bias, head = (keras.ops.convert_to_numpy(w) for w in (*classifier.pooler.weights, classifier.head.kernel))
    first = outputs(encoder)["sequence_output"][:, 0]
    expected = np.maximum(first @ kernel + bias, 0) @ head
    np.testing.assert_allclose(keras.ops.convert_to_numpy(classifier(ROWS)), expected, atol=1e-5)
    with pytest.raises(kb.InputError, match="without one"):
        kb.BertPretrainer(encoder)
    kb.BertPretrainer(encoder, sentence_task=None)
    with pytest.raises(kb.InputError, match="without a pooler"):
        kb.export_saved_model(encoder, tmp_path / "hub")
    vectorizer = kb.BertTextVectorization(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *map(str, range(55))])
    import tensorflow as tf

    path = kb.export_saved_model(encoder, tmp_path / "text", vectorizer)
    loaded = tf.saved_model.load(str(path))
    assert set(loaded.signatures) == {"serving_default", "encode", "tokenize"}
    assert set(loaded.signatures["encode"](tf.constant(["1 2"]))) == {"sequence_output"}


class Doubled(keras.layers.Layer):
    """A slot that anybody can check."""

    def call(self, x):
        return 2 * x


def test_an_empty_slot_changes_nothing_and_a_filled_one_what_it_says():
    before = outputs(make("BERT"))
    empty = make("BERT", block=lambda **settings: TransformerBlock(**settings, after_attention=None))
    same(before, outputs(empty))
    asked = []
    for slot in ("after_attention", "after_feed_forward"):
        encoder = make("BERT", block=lambda slot=slot, **settings: TransformerBlock(**settings, **{slot: Doubled()}))
        asked.append(outputs(encoder)["sequence_output"])
        # A projection twice as large does what doubling its outcome does.
        twice = make("BERT")
        for block in twice.blocks:
            dense = block.attention.output_dense if slot == "after_attention" else block.output_dense
            for weight in dense.weights:
                weight.assign(2 * keras.ops.convert_to_numpy(weight))
        np.testing.assert_allclose(asked[-1], outputs(twice)["sequence_output"], atol=2e-5, rtol=0)
    assert np.abs(asked[0] - asked[1]).max() > 1e-3


def test_an_encoder_with_adapters_is_saved_with_them(tmp_path):
    def block(**settings):
        adapter = keras.Sequential([keras.layers.Dense(4, "relu"), keras.layers.Dense(settings["hidden_size"])])
        return TransformerBlock(**settings, after_feed_forward=adapter)

    encoder = make("BERT", block=block)
    encoder.save(tmp_path / "adapted.keras")
    loaded = keras.saving.load_model(tmp_path / "adapted.keras")
    same(outputs(encoder), outputs(loaded))
    with pytest.raises(kb.InputError, match="own blocks"):
        from keras_bert.export import export_onnx

        export_onnx(encoder, tmp_path / "model.onnx")


@keras.saving.register_keras_serializable(package="tests")
class Mean(keras.layers.Layer):
    """A block that is no Transformer: the mean of what is no padding, added."""

    def __init__(self, hidden_size, **settings):
        super().__init__(name=settings.get("name"))
        self.hidden_size = hidden_size

    def call(self, hidden_states, input_mask, positions=None):
        mask = keras.ops.cast(input_mask, hidden_states.dtype)[..., None]
        mean = keras.ops.sum(hidden_states * mask, 1, keepdims=True) / keras.ops.sum(mask, 1, keepdims=True)
        if positions is not None:
            hidden_states = keras.ops.take_along_axis(hidden_states, positions[..., None], axis=1)
        return hidden_states + mean

    def get_config(self):
        return {**super().get_config(), "hidden_size": self.hidden_size}


def test_any_layer_with_the_interface_of_a_block(tmp_path):
    classifier = kb.BertClassifier(make("BERT", block=Mean), 2)
    classifier.save(tmp_path / "mean.keras")
    loaded = keras.saving.load_model(tmp_path / "mean.keras")
    assert isinstance(loaded.encoder.blocks[2], Mean)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(loaded(ROWS)), keras.ops.convert_to_numpy(classifier(ROWS)), atol=1e-6
    )


def test_lora_through_keras():
    encoder = make("BERT")
    before = outputs(encoder)
    for layer in encoder._flatten_layers():
        if not list(
            layer._flatten_layers(include_self=False)
        ):  # the leaves: a parent at rest would keep its children so
            layer.trainable = False
    for block in encoder.blocks:
        for dense in (block.attention.query_dense, block.attention.value_dense, block.intermediate):
            dense.trainable = True
            dense.enable_lora(rank=2)
            dense.bias.trainable = False
    same(before, outputs(encoder), 1e-6)
    classifier = kb.BertClassifier(encoder, 2, dropout=0.0)
    names = {weight.path.rsplit("/", 1)[1] for weight in encoder.trainable_variables}
    assert names == {"lora_kernel_a", "lora_kernel_b"} and len(encoder.trainable_variables) == 3 * 3 * 2
    kept = [keras.ops.convert_to_numpy(weight) for weight in encoder.non_trainable_variables]
    kb.finetune(classifier, ROWS, [0, 1], ROWS, [0, 1], epochs=3, learning_rate=1e-2, freeze=None, verbose=0)
    for old, new in zip(kept, encoder.non_trainable_variables, strict=True):
        np.testing.assert_array_equal(old, keras.ops.convert_to_numpy(new))
    assert np.abs(outputs(encoder)["sequence_output"] - before["sequence_output"]).max() > 1e-3


def test_rebuilt_with_another_dropout_or_dtype_it_has_the_same_blocks_and_says_the_same():
    from keras_bert.models.cast import in_float32

    def block(**settings):
        adapter = keras.Sequential([keras.layers.Dense(4, "relu"), keras.layers.Dense(settings["hidden_size"])])
        return TransformerBlock(**settings, after_feed_forward=adapter)

    for own in (block, Mean, TransformerBlock):
        encoder = make("BERT", block=own)
        other = encoder.copy(dropout=0.3)
        same(outputs(encoder), outputs(other), 1e-5)
        assert other.config.hidden_dropout == 0.3 and type(other.blocks[0]) is type(encoder.blocks[0])
        assert getattr(other.blocks[0], "dropout_rate", 0.3) == 0.3
        mixed = kb.BertClassifier(encoder.copy(dtype="mixed_bfloat16"), 2)
        assert getattr(mixed.encoder.blocks[0].dtype_policy, "compute_dtype", "bfloat16") in ("bfloat16", "float32")
        same(outputs(encoder), outputs(in_float32(mixed).encoder), 1e-5)
