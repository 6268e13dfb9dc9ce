"""The recipe that TF-Hub publishes for a BERT, unchanged, with the paths of the two models as arguments."""

import sys

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub
import tf_keras

out, preprocess_path, encoder_path, *more = sys.argv[1:]
if "tensorflow_text" in more:
    import tensorflow_text  # noqa: F401  (TF-Hub's preprocessing model needs its operations)
sentences = np.array(["a fine film", "unbelievable, this film!", "", "films film films film film film film film"])
others = np.array(["film", "a fine film a fine film a fine film", "fine", "film film films"])

# One text: preprocess, then encode.
text_input = tf_keras.layers.Input(shape=(), dtype=tf.string)
encoder_inputs = hub.KerasLayer(preprocess_path)(text_input)
encoder = hub.KerasLayer(encoder_path, trainable=True)
outputs = encoder(encoder_inputs)
model = tf_keras.Model(text_input, {**encoder_inputs, "pooled_output": outputs["pooled_output"]})
results = {f"single/{key}": value.numpy() for key, value in model(tf.constant(sentences)).items()}

# Two texts: tokenize each, pack, encode.
preprocessor = hub.load(preprocess_path)
text_inputs = [tf_keras.layers.Input(shape=(), dtype=tf.string), tf_keras.layers.Input(shape=(), dtype=tf.string)]
tokenize = hub.KerasLayer(preprocessor.tokenize)
tokenized_inputs = [tokenize(segment) for segment in text_inputs]
seq_length = 12
bert_pack_inputs = hub.KerasLayer(preprocessor.bert_pack_inputs, arguments=dict(seq_length=seq_length))
packed = bert_pack_inputs(tokenized_inputs)
pairs = tf_keras.Model(text_inputs, {**packed, "pooled_output": encoder(packed)["pooled_output"]})
for key, value in pairs([tf.constant(sentences), tf.constant(others)]).items():
    results[f"pair/{key}"] = value.numpy()
tokens = preprocessor.tokenize(tf.constant(sentences))
results["ragged_rank"] = tokens.ragged_rank
results["words"] = tokens.row_lengths().numpy()
results["pieces"] = tokens.merge_dims(-2, -1).flat_values.numpy()
flat = preprocessor.bert_pack_inputs([tokens.merge_dims(-2, -1)], seq_length=tf.constant(9))
results["flat"] = flat["input_word_ids"].numpy()
for name, value in preprocessor.tokenize.get_special_tokens_dict().items():
    results[f"special/{name}"] = value.numpy()

# Fine-tuning through the encoder.
logits = tf_keras.layers.Dense(2)(outputs["pooled_output"])
tuned = tf_keras.Model(text_input, logits)
loss = tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True)
tuned.compile(tf_keras.optimizers.SGD(0.1), loss)
before = [weight.numpy() for weight in encoder.trainable_weights]
tuned.fit(sentences, np.array([0, 1, 0, 1]), epochs=1, batch_size=4, verbose=0)
results["trainable"] = len(before)
results["moved"] = sum(
    not np.array_equal(old, new.numpy()) for old, new in zip(before, encoder.trainable_weights, strict=True)
)
np.savez(out, **results)
