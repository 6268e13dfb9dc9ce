"""Functions that list the weights, the layers and the file sizes of a model."""

import math
from collections import Counter
from pathlib import Path

import keras

from keras_bert import keras_internals
from keras_bert.config import BertConfig
from keras_bert.models.encoder import BertEncoder
from keras_bert.models.layer_tree import public_name


def model_summary(model: keras.Model | BertConfig) -> dict:
    """Count the weights and the layers of a model.

    Args:
        model: a built Keras model, or a `BertConfig`, from which an encoder is built.

    Returns:
        A dict:

        - `config`: dict of the `BertConfig`, or None;
        - `parameters`, `trainable`: number of all parameters and of the trainable ones;
        - `arrays`: list of dicts with `name`, `shape`, `dtype` and `parameters`, one per weight, in the model's order;
        - `layers`: dict of layer type to number of layers at all depths, the most frequent first.

    Example:

    >>> from keras_bert import BertConfig
    >>> config = BertConfig(vocab_size=100, hidden_size=32, num_layers=2, num_heads=2, intermediate_size=128)
    >>> summary = model_summary(config)
    >>> summary["parameters"] == sum(array["parameters"] for array in summary["arrays"])
    True
    >>> summary["layers"]["TransformerBlock"]
    2
    """
    if isinstance(model, BertConfig):
        model = BertEncoder(model)
    config = getattr(getattr(model, "encoder", model), "config", None)
    arrays = [
        {
            "name": weight.path,
            "shape": list(weight.shape),
            "dtype": str(weight.dtype),
            "parameters": math.prod(weight.shape),
        }
        for weight in model.weights
        if "seed_generator" not in weight.path  # state of dropout, not a parameter
    ]
    layers = Counter(public_name(type(layer)) for layer in keras_internals.all_layers(model)[1:])
    layers.pop("InputLayer", None)
    return {
        "config": config.to_dict() if isinstance(config, BertConfig) else None,
        "parameters": sum(array["parameters"] for array in arrays),
        "trainable": sum(math.prod(weight.shape) for weight in model.trainable_weights),
        "arrays": arrays,
        "layers": dict(layers.most_common()),
    }


def sizes_on_disk(folder: str | Path) -> dict[str, int]:
    """Return the size of every file in a folder and its subfolders, the largest first.

    Args:
        folder: the folder.

    Returns:
        A dict of relative path to size in bytes; empty for a folder without files.

    Example:

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "vocab.txt").write_text("[PAD]")
    >>> sizes_on_disk(folder)
    {'vocab.txt': 5}
    """
    folder = Path(folder)
    sizes = {str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    return dict(sorted(sizes.items(), key=lambda item: -item[1]))
