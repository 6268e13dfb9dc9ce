"""Canonical names and shapes agree with the models."""

import pytest

import keras_bert as kb
from keras_bert.weights.canonical_names import canonical_shapes, model_weights

SIZES = {"vocab_size": 60, "hidden_size": 16, "num_layers": 3, "num_heads": 2, "intermediate_size": 32}
VARIANTS = {
    "BERT": {},
    "DistilBERT": {"type_vocab_size": 0, "pooler": False},
    "ALBERT": {"embedding_size": 8, "share_blocks": True},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_shapes_match_models(variant):
    config = kb.BertConfig(**SIZES, **VARIANTS[variant])
    encoder = kb.BertEncoder(config)
    models = [
        *(kb.BertPretrainer(encoder, task) for task in ((None, "next", "order") if config.pooler else (None,))),
        kb.BertClassifier(encoder, 5),
        kb.BertSpanLabeler(encoder),
        kb.BertTokenClassifier(encoder, 5),
    ]
    expected = canonical_shapes(config, num_classes=5)
    seen = set()
    for model in models:
        parts = model_weights(model)
        for part, weights in parts.items():
            assert list(weights) == list(expected[part])
            assert {name: tuple(weight.shape) for name, weight in weights.items()} == expected[part]
        named = {id(weight) for weights in parts.values() for weight in weights.values()}
        assert named == {id(weight) for weight in model.trainable_variables}
        seen |= set(parts)
    assert seen == set(expected) - (set() if config.pooler else {"next_sentence", "sentence_order"})


def test_rejects_custom_blocks_and_other_layers():
    import keras

    class Identity(keras.layers.Layer):
        def __init__(self, **settings):
            super().__init__(name=settings["name"])

        def call(self, hidden_states, input_mask, positions=None):
            return hidden_states

    encoder = kb.BertEncoder(kb.BertConfig(**SIZES), block=Identity)
    with pytest.raises(kb.InputError, match="^`encoder`.*Received: Identity .*block 0"):
        model_weights(encoder)
    with pytest.raises(kb.InputError, match="`model` .*Received: Dense"):
        model_weights(keras.layers.Dense(2))
