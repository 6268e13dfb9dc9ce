"""Summary of a model: parameters, layers, architecture, multiply-adds, memory and speed."""

import dataclasses
import json
from pathlib import Path

import keras

from keras_bert.catalog.bundled import BUNDLED, find_bundled
from keras_bert.catalog.download import is_address, locate
from keras_bert.catalog.published_models import find_published
from keras_bert.config import BertConfig
from keras_bert.errors import InputError
from keras_bert.explain.figures.figure import SUFFIXES, Figure
from keras_bert.explain.model.architecture import architecture
from keras_bert.explain.model.speed import measure_speed
from keras_bert.explain.pages.render import render
from keras_bert.files import atomic_write
from keras_bert.models import BertEncoder
from keras_bert.models.costs import (
    INFERENCE_MEMORY,
    MULTIPLY_ADDS,
    PROJECTION,
    TRAINING_MEMORY,
    batch_memory,
    multiply_adds_per_token,
)
from keras_bert.models.layer_tree import layer_listing, layer_tree
from keras_bert.models.summary import model_summary, sizes_on_disk
from keras_bert.weights import load_pretrained

BYTES = {"float32": 4, "bfloat16": 2, "int8": 1}  # of a parameter


@dataclasses.dataclass(frozen=True)
class ModelSummary:
    """Summary of a model, the result of `kb.explain.summary`. `str` of it is the listing of the layers with totals.

    Attributes:
        facts: dict that can be written as JSON; `kb.explain.summary` lists its keys.
    """

    facts: dict

    def __str__(self) -> str:
        facts = self.facts
        lines = [layer_listing(facts["architecture"]), ""]
        lines.append(f"{facts['parameters']:,} parameters, {facts['trainable']:,} trainable")
        costs = facts["costs"]
        if costs is not None:
            lines.append(
                f"{costs['multiply_adds_per_token']:,} multiply-adds per token of a row of {costs['sequence_length']} "
                "tokens"
            )
        return "\n".join(lines)

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.facts["name"]

    def figure(self) -> Figure:
        """Draw the architecture: embeddings, blocks, pooler and heads, with shapes and numbers of parameters."""
        return architecture(self.facts)

    def save(self, path: str | Path) -> Path:
        """Write the summary to a file. An existing file is replaced once the new one is complete.

        Args:
            path: the file. `.svg` and `.png` hold the figure; `.html` is a page with the figure and all tables, which
                loads no other file; `.json` holds `facts`.

        Returns:
            The path.

        Raises:
            InputError: the suffix is another one.
        """
        path = Path(path)
        if path.suffix not in (*SUFFIXES, ".json"):
            raise InputError(f"`path` must end in {', '.join(SUFFIXES)} or .json. Received: path={path}")
        if path.suffix in (".svg", ".png"):
            return self.figure().save(path)
        if path.suffix == ".json":
            text = json.dumps(self.facts, indent=1, ensure_ascii=False) + "\n"
        else:
            listing = layer_listing(self.facts["architecture"])
            text = render("summary.html", facts=self.facts, figure=self.figure(), listing=listing)
        with atomic_write(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
        return path


def summary(source, batch_size: int = 32, sequence_length: int | None = None, speed: bool = False) -> ModelSummary:
    """Summarize a model: its parameters, layers, architecture, multiply-adds, memory, and on request its speed.

    Args:
        source: a Keras model, a `BertConfig`, the name of a pretrained model or of a preset, a folder, or an address.
            For the name of a published model, an encoder of its size is built, and nothing is downloaded.
        batch_size: B, for the memory and the speed.
        sequence_length: T, for the multiply-adds, the memory and the speed. Default: 128, or all positions of a model
            that has fewer.
        speed: whether to measure the tokens per second of the encoder on this machine, for about four seconds.

    Returns:
        A `ModelSummary`. Its `facts`:

        - `name`;
        - `config`, `parameters`, `trainable`, `arrays`, `layers`: as `model_summary` returns them;
        - `architecture`: the tree of layers, as `layer_tree` returns it;
        - `bytes`: size of the parameters in float32, bfloat16 and int8, in bytes;
        - `files`: size of each file of a folder, in bytes;
        - `costs`: None for a model without a `BertConfig`, otherwise a dict of `sequence_length`, `batch_size`,
          `multiply_adds_per_token`, `memory` (bytes of `weights`, `inference` and `training` of a batch, lower bounds)
          and `formulas`, the formula of each of these;
        - `speed`: None, or what `measure_speed` returns.

    Raises:
        InputError: the model cannot be opened, or `batch_size` or `sequence_length` is out of range.

    Example:

    >>> import keras_bert as kb
    >>> config = kb.BertConfig(vocab_size=100, hidden_size=32, num_layers=2, num_heads=2, intermediate_size=128)
    >>> found = summary(config)
    >>> found.facts["parameters"], found.facts["costs"]["multiply_adds_per_token"]
    (46176, 40960)
    """
    name, model, files = open_source(source)
    facts = model_summary(model)
    config = getattr(getattr(model, "encoder", model), "config", None)
    has_config = isinstance(config, BertConfig)
    if has_config:
        sequence_length = _checked_length(config, sequence_length)
    if not isinstance(batch_size, int) or batch_size < 1:
        raise InputError(f"`batch_size` must be an integer of at least 1. Received: batch_size={batch_size}")
    if speed and not has_config:
        raise InputError("`speed` must be False for a model without a BertConfig. Received: speed=True")
    facts = {
        "name": name,
        **facts,
        "architecture": layer_tree(model),
        "bytes": {kind: size * facts["parameters"] for kind, size in BYTES.items()},
        "files": files,
        "costs": _costs(config, facts, batch_size, sequence_length) if has_config else None,
        "speed": measure_speed(getattr(model, "encoder", model), batch_size, sequence_length) if speed else None,
    }
    return ModelSummary(facts)


def open_source(source) -> tuple[str, keras.Model, dict[str, int]]:
    """Return the name, the model and the sizes of the files of a source of `summary`.

    Raises:
        InputError: the model does not exist or cannot be loaded.
    """
    if isinstance(source, keras.Model):
        return source.name, source, {}
    if isinstance(source, BertConfig):
        return "BertEncoder", BertEncoder(source), {}
    name, path = str(source), model_path(source)
    if path is not None:
        model = load_pretrained(path).model
        return name, model, {} if is_address(path) else sizes_on_disk(path)
    published = find_published(name)
    return name, BertEncoder(BertConfig.from_preset(name) if published is None else published.config), {}


def model_path(source):
    """Return the folder or the TF-Hub handle of a model, or None for the name of a size, of which there are no weights.

    A bundled model is a folder; a published model is a size, so that nothing is downloaded.

    Args:
        source: a name, a folder or an address.
    """
    name = str(source)
    if name in BUNDLED and not Path(name).exists():
        return find_bundled(name)
    if find_published(name) is not None and not Path(name).exists():
        return None
    path = locate(source)
    return path if is_address(path) or Path(path).exists() else None


def _checked_length(config: BertConfig, length: int | None) -> int:
    positions = config.max_position_embeddings
    if length is None:
        return min(128, positions)
    if not isinstance(length, int) or not 1 <= length <= positions:
        raise InputError(
            f"`sequence_length` must be an integer from 1 to {positions}. Received: sequence_length={length}"
        )
    return length


def _costs(config: BertConfig, facts: dict, batch_size: int, sequence_length: int) -> dict:
    return {
        "sequence_length": sequence_length,
        "batch_size": batch_size,
        "multiply_adds_per_token": multiply_adds_per_token(config, sequence_length),
        "memory": batch_memory(config, facts["parameters"], facts["trainable"], batch_size, sequence_length),
        "formulas": {
            "multiply_adds_per_token": MULTIPLY_ADDS + (PROJECTION if config.embedding_size else ""),
            "inference": INFERENCE_MEMORY,
            "training": TRAINING_MEMORY,
        },
    }
