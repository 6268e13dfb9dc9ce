"""The tree and the listing of the layers, compared with the weights and the shapes of the outputs."""

import math

import numpy as np

import keras_bert as kb
from keras_bert.models.layer_tree import layer_listing, layer_tree
from tests.helpers import tiny_config


def leaves(node):
    """Yield (weights, count) of a layer and all its sublayers."""
    yield node["weights"], node["count"]
    for layer in node["layers"]:
        yield from ((weights, count * node["count"]) for weights, count in leaves(layer))


def test_weights_are_listed_once():
    model = kb.BertPretrainer(kb.BertEncoder(tiny_config(num_layers=3)))
    tree = layer_tree(model)
    shapes = [tuple(shape) for weights, count in leaves(tree) for shape in weights.values() for _ in range(count)]
    assert sorted(shapes) == sorted(tuple(weight.shape) for weight in model.weights)
    assert tree["parameters"] == model.count_params() == sum(map(math.prod, shapes))


def test_equal_blocks_are_one_entry():
    encoder = layer_tree(kb.BertEncoder(tiny_config(num_layers=3)))
    assert [(layer["name"], layer["count"]) for layer in encoder["layers"]] == [
        ("embeddings", 1),
        ("block_0 … block_2", 3),
        ("pooler", 1),
    ]


def test_different_blocks_are_listed_one_by_one():
    encoder = kb.BertEncoder(tiny_config(num_layers=3))
    encoder.blocks[1].intermediate.enable_lora(2)
    names = [layer["name"] for layer in layer_tree(encoder)["layers"]]
    assert names == ["embeddings", "block_0", "block_1", "block_2", "pooler"]


def test_shared_blocks():
    model = kb.BertEncoder(tiny_config(num_layers=3, share_blocks=True, embedding_size=8))
    assert layer_tree(model)["parameters"] == model.count_params()


def test_outputs_are_the_shapes_of_a_call():
    config = tiny_config(num_layers=2)
    classifier = kb.BertClassifier(kb.BertEncoder(config), num_classes=3)
    encoder, *heads = layer_tree(classifier)["layers"]
    ids = np.ones((2, 5), "int32")
    batch = {"input_word_ids": ids, "input_mask": ids, "input_type_ids": 0 * ids}
    outputs = classifier.encoder(batch)
    named = {"B": 2, "T": 5}
    expected = {"embeddings": outputs["sequence_output"], "block_0 … block_1": outputs["encoder_outputs_0"]}
    expected |= {"pooler": outputs["pooled_output"], "logits": classifier(batch)}
    for layer in (*encoder["layers"], heads[-1]):
        (shape,) = layer["outputs"]
        assert [named.get(size, size) for size in shape] == list(expected[layer["name"]].shape), layer["name"]


def test_listing_is_nested():
    listing = layer_listing(layer_tree(kb.BertPretrainer(kb.BertEncoder(tiny_config(num_layers=3)))))
    lines = listing.splitlines()
    assert lines[0].startswith("BertPretrainer(") and lines[-1] == ")"
    assert sum(line.count("(") - line.count(")") for line in lines) == 0
    (block,) = [line for line in lines if "TransformerBlock" in line]
    assert block.startswith("    (block_0 … block_2): 3 x TransformerBlock(  -> [B, T, ")
    assert "-> [B, P, " in next(line for line in lines if "MaskedLMHead" in line)
