"""What a model is made of: every array, the layers by type, and the room they take."""

import math
from collections import Counter
from pathlib import Path

import keras

from keras_bert.config import BertConfig
from keras_bert.models import BertEncoder


def model_facts(model: keras.Model | BertConfig) -> dict:
    """Count what a model holds.

    Args:
        model: a built Keras model, or a `BertConfig`, whose encoder is then built.

    Returns:
        A dict: `config` (fields of the `BertConfig`, where the model has one), `parameters` and `trainable` (numbers),
        `arrays` (for each, in the model's order: `name`, `shape`, `dtype`, `parameters`), `layers` (type to how many
        there are, at every depth, the commonest first).

    Example:

    >>> from keras_bert import BertConfig
    >>> config = BertConfig(vocab_size=100, hidden_size=32, num_layers=2, num_heads=2, intermediate_size=128)
    >>> facts = model_facts(config)
    >>> facts["parameters"] == sum(array["parameters"] for array in facts["arrays"])
    True
    >>> facts["layers"]["TransformerBlock"]
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
        if "seed_generator" not in weight.path  # the dropouts' counters are no parameters
    ]
    kinds = Counter(type(layer).__name__ for layer in model._flatten_layers(include_self=False))
    kinds.pop("InputLayer", None)
    return {
        "config": config.to_dict() if isinstance(config, BertConfig) else None,
        "parameters": sum(array["parameters"] for array in arrays),
        "trainable": sum(math.prod(weight.shape) for weight in model.trainable_weights),
        "arrays": arrays,
        "layers": dict(kinds.most_common()),
    }


def sizes_on_disk(folder: str | Path) -> dict[str, int]:
    """The bytes of every file in a folder, by its path inside, the largest first.

    Args:
        folder: a folder, looked through to its depth.

    Returns:
        A dict from path to bytes; empty for a folder without files.

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
