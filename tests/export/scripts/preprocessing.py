"""The ids and the outputs of TensorFlow's notebooks for BERT, with our preprocessing model and with Google's.

The arguments are the paths of the results, our preprocessing model, Google's and the encoder.
"""

import sys

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub

out, ours, google, handle_encoder = sys.argv[1:]
encoder = hub.KerasLayer(handle_encoder)
pairs = [tf.constant(["some random test sentence", ""]), tf.constant(["another sentence", "a fine film"])]
results = {}
for name, path in (("ours", ours), ("google", google)):
    if name == "google":
        import tensorflow_text  # noqa: F401  (TF-Hub's preprocessing model needs its operations, ours does not)
    # classify_text_with_bert
    ids = hub.KerasLayer(path)(["this is such an amazing movie!"])
    outputs = encoder(ids)
    results[f"{name}_pooled"] = outputs["pooled_output"].numpy()
    results[f"{name}_sequence"] = outputs["sequence_output"].numpy()
    # bert_glue
    preprocess = hub.load(path)
    packed = preprocess.bert_pack_inputs([preprocess.tokenize(each) for each in pairs], seq_length=16)
    for form, values in (("ids", ids), ("packed", packed)):
        for key, value in values.items():
            results[f"{name}_{form}_{key}"] = value.numpy()
    # scalar strings, which the signature of TF-Hub's own preprocessing model accepts; its outputs have other names
    scalar = preprocess.signatures["serving_default"](tf.constant("a fine film"))
    results[f"{name}_scalar"] = np.stack(sorted((value.numpy() for value in scalar.values()), key=np.sum))
np.savez(out, **results)
