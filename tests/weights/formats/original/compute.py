"""Run google-research's original code on a checkpoint, and write its outputs.

Usage: `python compute.py bert|albert encoder|pretrainer|classifier|spans read|write FOLDER`.

FOLDER contains the config file and `rows.npz` with `ids` and `types`, int32 `[B, T]`. With `read`, every weight is read
from the folder's checkpoint, with the original loading code. With `write`, the weights are random, and the checkpoint
is written. The outputs are written to `outputs.npz`.

The original code is bert-tensorflow 1.0.4 and albert-tensorflow 1.1. This script replaces what TensorFlow 2 removed.
"""

import importlib
import os
import sys
import types
from pathlib import Path

import numpy as np
import tensorflow.compat.v1 as tf


def layer_norm(inputs, begin_norm_axis, begin_params_axis, scope):
    """Replace `tf.contrib.layers.layer_norm` over the last axis, with its epsilon of 1e-12."""
    assert begin_norm_axis == begin_params_axis == -1
    with tf.variable_scope(scope, "LayerNorm"):
        beta = tf.get_variable("beta", inputs.shape[-1:], initializer=tf.zeros_initializer())
        gamma = tf.get_variable("gamma", inputs.shape[-1:], initializer=tf.ones_initializer())
    mean, variance = tf.nn.moments(inputs, [-1], keepdims=True)
    return tf.nn.batch_normalization(inputs, mean, variance, beta, gamma, 1e-12)


def use_tensorflow_1() -> None:
    """Make `import tensorflow` import TensorFlow 1 in this process."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"  # contains tf.layers
    tf.disable_v2_behavior()
    contrib = types.ModuleType("tensorflow.contrib")
    contrib.layers = types.SimpleNamespace(layer_norm=layer_norm)
    contrib.cluster_resolver = contrib.data = contrib.tpu = types.SimpleNamespace()  # used in training only
    sys.modules["tensorflow.contrib"] = contrib
    sys.modules["tensorflow"] = tf  # albert-tensorflow imports TensorFlow 1 by this name


def graph(which: str, kind: str, config, ids, mask, segments) -> dict:
    """Build the original outputs, by the names of this package; pretraining heads return log-probabilities."""
    rows = config, False, ids, mask, segments
    if kind == "classifier":
        module = importlib.import_module(f"{which}.run_classifier")
        labels = tf.zeros([ids.shape[0]], tf.int32)
        return {"logits": module.create_model(*rows, labels, 3, False)[2]}
    if kind == "spans":
        starts, ends = importlib.import_module(f"{which}.run_squad").create_model(*rows, False)
        return {"start_logits": starts, "end_logits": ends}
    modeling = importlib.import_module(f"{which}.modeling")
    model = {"bert": "BertModel", "albert": "AlbertModel"}[which]
    model = getattr(modeling, model)(config, False, ids, mask, segments)
    found = {"sequence_output": model.get_sequence_output(), "pooled_output": model.get_pooled_output()}
    found |= {f"encoder_outputs_{i}": layer for i, layer in enumerate(model.get_all_encoder_layers())}
    if kind == "pretrainer":
        module = importlib.import_module(f"{which}.run_pretraining")
        batch, width = ids.shape.as_list()
        positions = tf.constant(np.tile(np.arange(width, dtype="int32"), (batch, 1)))
        tokens = model.get_sequence_output(), model.get_embedding_table(), positions, ids, tf.ones([batch, width])
        found["mlm_logits"] = module.get_masked_lm_output(config, *tokens)[2]  # [B T, V]
        name = {"bert": "next_sentence", "albert": "sentence_order"}[which]
        labels = tf.zeros([batch], tf.int32)
        head = getattr(module, f"get_{name}_output")
        found["nsp_logits" if which == "bert" else "sop_logits"] = head(config, model.get_pooled_output(), labels)[2]
    return found


def main(which: str, kind: str, mode: str, folder: str) -> None:
    folder = Path(folder)
    modeling = importlib.import_module(f"{which}.modeling")
    config = getattr(modeling, f"{which.title()}Config").from_json_file(str(folder / f"{which}_config.json"))
    with np.load(folder / "rows.npz") as rows:
        ids, segments = rows["ids"], rows["types"]
    outputs = graph(which, kind, config, *map(tf.constant, (ids, np.int32(ids > 0), segments)))
    weights, checkpoint = tf.trainable_variables(), str(folder / "bert_model.ckpt")
    if mode == "read":
        assigned, _ = modeling.get_assignment_map_from_checkpoint(weights, checkpoint)
        there = {name for name, _ in tf.train.list_variables(checkpoint)}
        assert set(assigned) == there == {weight.op.name for weight in weights}, there ^ set(assigned)
        tf.train.init_from_checkpoint(checkpoint, assigned)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        if mode == "write":
            rng = np.random.default_rng(7)
            for weight in weights:
                center = 1.0 if weight.op.name.endswith("gamma") else 0.0
                weight.load(rng.normal(center, 0.3, weight.shape.as_list()).astype("float32"), session)
            tf.train.Saver(weights).save(session, checkpoint)
        np.savez(folder / "outputs.npz", **session.run(outputs))


if __name__ == "__main__":
    use_tensorflow_1()
    main(*sys.argv[1:])
