"""Load every kind of export with TensorFlow, but without Keras, this package and tensorflow_text."""

import sys

BLOCKED = ("keras_bert", "keras", "keras_hub", "tf_keras", "tensorflow_text")
sys.modules.update(dict.fromkeys(BLOCKED))  # None makes an import fail
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from tensorflow.core.protobuf import saved_model_pb2  # noqa: E402
from tensorflow.python.framework import op_def_registry  # noqa: E402

out, text_path, features_path, encoder_path, preprocess_path, *texts = sys.argv[1:]
results = {}
operations = set()
for path in (text_path, features_path, encoder_path, preprocess_path):
    with open(f"{path}/saved_model.pb", "rb") as file:
        graph = saved_model_pb2.SavedModel.FromString(file.read()).meta_graphs[0].graph_def
    functions = {function.signature.name for function in graph.library.function}
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    operations |= {node.op for node in nodes} - functions
results["operations"] = sorted(operations)
results["unknown"] = np.array([name for name in operations if op_def_registry.get(name) is None], "U")

texts = tf.constant(texts)
text = tf.saved_model.load(text_path)
results["signatures"] = sorted(text.signatures)
for signature in ("serving_default", "tokenize", "encode"):
    for key, value in text.signatures[signature](text=texts).items():
        value = value.numpy()
        results[f"text/{signature}/{key}"] = value.astype("U") if value.dtype == object else value
empty = text.signatures["serving_default"](text=tf.constant([], tf.string))
results["empty"] = empty["probabilities"].numpy()

features = tf.saved_model.load(features_path)
for key, value in features.signatures["serving_default"](text=texts).items():
    results[f"features/{key}"] = value.numpy()

preprocess, encoder = tf.saved_model.load(preprocess_path), tf.saved_model.load(encoder_path)
ids = preprocess(texts)
outputs = encoder(ids)
for key in ("pooled_output", "default", "sequence_output"):
    results[f"encoder/{key}"] = outputs[key].numpy()
for i, layer in enumerate(outputs["encoder_outputs"]):
    results[f"encoder/{i}"] = layer.numpy()
for key, value in encoder.signatures["serving_default"](**ids).items():
    results[f"encoder_signature/{key}"] = value.numpy()
positions = tf.constant([[1, 2]] * len(texts))
results["mlm_logits"] = encoder.mlm({**ids, "masked_lm_positions": positions})["mlm_logits"].numpy()
results["vocab_file"] = tf.io.read_file(encoder.vocab_file).numpy().decode().split("\n")
results["do_lower_case"] = encoder.do_lower_case.numpy()
results["names"] = [variable.name for variable in encoder.variables]
with tf.GradientTape() as tape:
    loss = tf.reduce_sum(encoder(ids, training=True)["pooled_output"])
gradients = tape.gradient(loss, encoder.trainable_variables)
results["with_gradient"] = sum(gradient is not None for gradient in gradients)
first, second = (encoder(ids, training=True)["pooled_output"].numpy() for _ in range(2))
results["dropout_moves"] = np.abs(first - second).max()
assert all(sys.modules[name] is None for name in BLOCKED)
np.savez(out, **results)
