"""Make the files in this folder with Google's code, in a separate environment:

    pip install 'setuptools<81' tensorflow-cpu==2.20.0 pyyaml psutil sentencepiece immutabledict six dm-tree scipy
    pip install --no-deps tensorflow-text==2.20.1 tf-keras==2.20.1 tensorflow-hub==0.16.1 tf-models-official==2.20.0 \
        tensorflow-model-optimization tf_slim gin-config
    TF_USE_LEGACY_KERAS=1 python make.py

Small models with random weights (also biases and LayerNorms): a BERT with its masked-LM head and an ALBERT, each as a
checkpoint of the Model Garden with its outputs. TF-Hub's exporter writes the ALBERT as a SavedModel too.
"""

import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from official.legacy.bert import configs
from official.nlp.configs import encoders
from official.nlp.modeling import models
from official.nlp.tools import export_tfhub_lib

HERE = Path(__file__).parent
SIZES = {"vocab_size": 60, "hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32}
SIZES |= {"max_position_embeddings": 20, "type_vocab_size": 2}
IDS = np.array([[2, 7, 9, 11, 3], [2, 8, 3, 0, 0]], "int32")
ROWS = {
    "input_word_ids": IDS,
    "input_mask": np.int32(IDS > 0),
    "input_type_ids": np.array([[0, 0, 1, 1, 1], [0, 1, 1, 0, 0]], "int32"),
}
POSITIONS = np.array([[1, 3], [1, 2]], "int32")


def randomize(model, seed):
    rng = np.random.default_rng(seed)
    for variable in model.variables:
        if variable.dtype.is_floating:
            variable.assign(variable + rng.normal(0, 0.2, variable.shape))


def save(folder, checkpoint, settings, outputs):
    (HERE / folder).mkdir(exist_ok=True)
    checkpoint.save(str(HERE / folder / "bert_model.ckpt"))
    name = "albert_config.json" if "embedding_size" in settings else "bert_config.json"
    (HERE / folder / name).write_text(json.dumps({"hidden_act": "gelu", **settings}) + "\n")
    (HERE / folder / "checkpoint").unlink()
    arrays = {key: np.asarray(value) for key, value in outputs.items() if key != "encoder_outputs"}
    arrays |= {f"encoder_outputs_{i}": np.asarray(layer) for i, layer in enumerate(outputs["encoder_outputs"])}
    np.savez(HERE / folder / "outputs.npz", **ROWS, masked_lm_positions=POSITIONS, **arrays)


def main():
    settings = {**SIZES, "num_hidden_layers": 2}
    encoder = export_tfhub_lib.get_bert_encoder(configs.BertConfig(**settings))
    # The head's activation is the tanh approximation, as in google-research/bert.
    tanh = lambda x: tf.keras.activations.gelu(x, approximate=True)  # noqa: E731
    pretrainer = models.BertPretrainerV2(encoder_network=encoder, mlm_activation=tanh)
    outputs = pretrainer({**ROWS, "masked_lm_positions": POSITIONS})
    randomize(pretrainer, 1)
    outputs = {**encoder(ROWS), **pretrainer({**ROWS, "masked_lm_positions": POSITIONS})}
    save("bert", tf.train.Checkpoint(**pretrainer.checkpoint_items), settings, outputs)

    settings = {**SIZES, "num_hidden_layers": 3, "embedding_size": 8}
    config = encoders.EncoderConfig(
        type="albert",
        albert=encoders.AlbertEncoderConfig(
            **{"vocab_size": 60, "embedding_width": 8, "hidden_size": 16, "num_layers": 3, "num_attention_heads": 2},
            **{"intermediate_size": 32, "max_position_embeddings": 20, "dropout_rate": 0.0},
            attention_dropout_rate=0.0,
        ),
    )
    albert = encoders.build_encoder(config)
    randomize(albert, 2)
    save("albert", tf.train.Checkpoint(encoder=albert), settings, albert(ROWS))
    prefix = tf.train.Checkpoint(encoder=albert).save(str(HERE / "draft" / "ckpt"))
    vocabulary = HERE / "draft" / "vocab.txt"
    vocabulary.write_text(
        "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(55))]) + "\n"
    )
    export_tfhub_lib.export_model(
        str(HERE / "albert_tfhub"),
        bert_config=None,
        encoder_config=config,
        model_checkpoint_path=prefix,
        with_mlm=False,
        vocab_file=str(vocabulary),
        do_lower_case=True,
    )
    for file in (HERE / "draft").iterdir():
        file.unlink()
    (HERE / "draft").rmdir()


if __name__ == "__main__":
    sys.exit(main())
