"""The code paths of TensorFlow's notebooks classify_text_with_bert and bert_glue, on a few sentences.

The arguments are the paths of the results, the preprocessing model, the encoder and a folder for saved models. The
optimizer is Adam, because the notebooks' own is in the package tf-models-official.
"""

import os
import sys

import numpy as np
import tensorflow as tf
import tensorflow_hub as hub
import tf_keras

out, handle_preprocess, handle_encoder, folder = sys.argv[1:]
sentences = ["a fine film", "unbelievable, this film!", "", "films film films film films"]
others = ["film", "a fine film a fine film a fine film", "fine", "film film films"]
labels = np.array([0, 1, 0, 1])
results = {}

# === classify_text_with_bert ===
bert_preprocess_model = hub.KerasLayer(handle_preprocess)
text_preprocessed = bert_preprocess_model(["this is such an amazing movie!"])
bert_results = hub.KerasLayer(handle_encoder)(text_preprocessed)
results["pooled"] = bert_results["pooled_output"].numpy()
results["sequence"] = bert_results["sequence_output"].numpy()


def build_classifier_model():
    text_input = tf_keras.layers.Input(shape=(), dtype=tf.string, name="text")
    preprocessing_layer = hub.KerasLayer(handle_preprocess, name="preprocessing")
    encoder_inputs = preprocessing_layer(text_input)
    encoder = hub.KerasLayer(handle_encoder, trainable=True, name="BERT_encoder")
    outputs = encoder(encoder_inputs)
    net = outputs["pooled_output"]
    net = tf_keras.layers.Dropout(0.1)(net)
    net = tf_keras.layers.Dense(1, activation=None, name="classifier")(net)
    return tf_keras.Model(text_input, net)


classifier_model = build_classifier_model()
classifier_model.compile(
    optimizer=tf_keras.optimizers.Adam(1e-4),
    loss=tf_keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=tf_keras.metrics.BinaryAccuracy(threshold=0.0),
)
dataset = tf.data.Dataset.from_tensor_slices((sentences, labels)).batch(2)
history = classifier_model.fit(x=dataset, validation_data=dataset, epochs=1, verbose=0)
results["loss"] = history.history["loss"]
classifier_model.evaluate(dataset, verbose=0)
path = os.path.join(folder, "imdb_bert")
classifier_model.save(path, include_optimizer=False)
reloaded_model = tf.saved_model.load(path)
results["original"] = tf.sigmoid(classifier_model(tf.constant(sentences))).numpy()
results["reloaded"] = tf.sigmoid(reloaded_model(tf.constant(sentences))).numpy()
serving_results = reloaded_model.signatures["serving_default"](tf.constant(sentences))
results["served"] = tf.sigmoid(serving_results["classifier"]).numpy()


# === bert_glue ===
def make_bert_preprocess_model(sentence_features, seq_length=128):
    input_segments = [tf_keras.layers.Input(shape=(), dtype=tf.string, name=name) for name in sentence_features]
    bert_preprocess = hub.load(handle_preprocess)
    tokenizer = hub.KerasLayer(bert_preprocess.tokenize, name="tokenizer")
    segments = [tokenizer(s) for s in input_segments]
    packer = hub.KerasLayer(bert_preprocess.bert_pack_inputs, arguments=dict(seq_length=seq_length), name="packer")
    model_inputs = packer(segments)
    return tf_keras.Model(input_segments, model_inputs)


sentence_features = ["sentence1", "sentence2"]
bert_preprocess_model = make_bert_preprocess_model(sentence_features, seq_length=16)
text_preprocessed = bert_preprocess_model([np.array(["some random test sentence"]), np.array(["another sentence"])])
results["packed"] = text_preprocessed["input_word_ids"].numpy()

rows = {"sentence1": sentences, "sentence2": others, "label": labels, "idx": np.arange(4)}
dataset = tf.data.Dataset.from_tensor_slices(rows)
batches = dataset.shuffle(4).repeat().batch(2).map(lambda ex: (bert_preprocess_model(ex), ex["label"])).prefetch(1)


class Classifier(tf_keras.Model):
    def __init__(self, num_classes):
        super().__init__(name="prediction")
        self.encoder = hub.KerasLayer(handle_encoder, trainable=True)
        self.dropout = tf_keras.layers.Dropout(0.1)
        self.dense = tf_keras.layers.Dense(num_classes)

    def call(self, preprocessed_text):
        encoder_outputs = self.encoder(preprocessed_text)
        pooled_output = encoder_outputs["pooled_output"]
        x = self.dropout(pooled_output)
        x = self.dense(x)
        return x


classifier_model = Classifier(2)
loss = tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True)
classifier_model.compile(optimizer=tf_keras.optimizers.Adam(1e-4), loss=loss, metrics=["accuracy"])
classifier_model.fit(x=batches, validation_data=batches, steps_per_epoch=2, epochs=1, validation_steps=2, verbose=0)

preprocess_inputs = bert_preprocess_model.inputs
bert_encoder_inputs = bert_preprocess_model(preprocess_inputs)
bert_outputs = classifier_model(bert_encoder_inputs)
model_for_export = tf_keras.Model(preprocess_inputs, bert_outputs)
path = os.path.join(folder, "glue_bert")
save_options = tf.saved_model.SaveOptions(experimental_io_device="/job:localhost")
model_for_export.save(path, include_optimizer=False, options=save_options)
with tf.device("/job:localhost"):
    reloaded_model = tf.saved_model.load(path)
results["glue_original"] = model_for_export([tf.constant(sentences), tf.constant(others)]).numpy()
results["glue_reloaded"] = np.concatenate(
    [
        reloaded_model(list(row)).numpy()
        for row in dataset.map(lambda record: [[record[name]] for name in sentence_features])
    ]
)
# The notebook passes scalar strings to the signature.
results["glue_served"] = np.concatenate(
    [
        reloaded_model.signatures["serving_default"](**row)["prediction"].numpy()
        for row in dataset.map(lambda record: {name: record[name] for name in sentence_features})
    ]
)

# === Scalar strings, where TF-Hub's own preprocessing model accepts them ===
serve = hub.load(handle_preprocess).signatures["serving_default"]
results["scalar"] = np.stack(
    sorted((value.numpy() for value in serve(tf.constant("a fine film")).values()), key=np.sum)
)
np.savez(out, **results)
