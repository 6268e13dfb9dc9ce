"""Readers of SavedModels: of one that TensorFlow has loaded, and of the files alone. Both have the same methods.

`tf.saved_model.load` runs the initializers of tables and resources, and these may be any operations, for example
one that writes a file. `StoredSavedModel` runs nothing: it parses `saved_model.pb` and reads tensors from the
checkpoint.
"""

import contextlib
import functools
from pathlib import Path

from keras_bert.errors import InputError
from keras_bert.extras import require_tensorflow
from keras_bert.weights.messages import first_line

ADDED_TOKENS_ASSET = "keras_bert_added_tokens"  # a text file, one token per line; only if there are added tokens
SPLITTING_ASSET = "keras_bert_splitting"  # a JSON file, only if the tokenizer differs from the original code
CONFIG_ASSET = "keras_bert_config"  # the asset in which this package stores the config fields that shapes do not show


def read_signatures(folder) -> dict[str, tuple[list[str], list[str]]]:
    """Read the names of a SavedModel's inputs and outputs; nothing is loaded or run.

    Args:
        folder: the folder that contains `saved_model.pb`.

    Returns:
        A dict of each signature's name to its sorted inputs and outputs.

    Raises:
        InputError: `saved_model.pb` is damaged, or TensorFlow is not installed.
    """
    return {
        name: (sorted(signature.inputs), sorted(signature.outputs))
        for graph in _read_graphs(Path(folder))
        for name, signature in graph.signature_def.items()
    }


def _read_graphs(folder: Path) -> list:
    require_tensorflow(f"the SavedModel {folder}")
    from tensorflow.core.protobuf import saved_model_pb2

    with readable(folder):
        return saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes()).meta_graphs


class LoadedSavedModel:
    """Reader of a SavedModel that TensorFlow has loaded.

    Args:
        loaded: the object that `tf.saved_model.load` returned.
        label: the model's name in messages.
    """

    def __init__(self, loaded, label: str = "the loaded model"):
        self.loaded, self.label = loaded, label

    @property
    def has_call(self) -> bool:
        """Whether the model can be called."""
        return callable(self.loaded)

    def variables(self, part: str | None = None) -> list:
        """Return the variables of the model, or of its attribute `part`; empty if there are none."""
        return list(getattr(getattr(self.loaded, part, None) if part else self.loaded, "variables", ()))

    def asset_path(self, name: str) -> str | None:
        """Return the path of an asset; None if there is none of this name."""
        asset = getattr(self.loaded, name, None)
        return None if asset is None else asset.asset_path.numpy().decode()

    def flag(self, name: str) -> bool | None:
        """Return the value of a Boolean variable; None if there is none of this name."""
        variable = getattr(self.loaded, name, None)
        return bool(variable.numpy()) if hasattr(variable, "numpy") else None

    def output_list_lengths(self, key: str) -> list[int]:
        """Return the length of the list that the call's outputs contain under `key`, for each concrete function."""
        outputs = [each.structured_outputs for each in getattr(self.loaded.__call__, "concrete_functions", ())]
        return [len(each[key]) for each in outputs if isinstance(each, dict) and key in each]


class StoredSavedModel:
    """Reader of the files of a SavedModel; nothing is loaded or run. The methods are those of `LoadedSavedModel`.

    Args:
        folder: the folder that contains `saved_model.pb`.
        label: the model's name in messages.

    Raises:
        InputError: `saved_model.pb` is damaged, TensorFlow 1 wrote it, or TensorFlow is not installed.
    """

    def __init__(self, folder, label: str):
        self.folder, self.label = Path(folder), label
        graphs = _read_graphs(self.folder)
        with readable(folder):
            if len(graphs) != 1 or not graphs[0].object_graph_def.nodes:
                raise ValueError("saved_model.pb contains no TensorFlow 2 objects")
            self._objects, self._assets = graphs[0].object_graph_def, graphs[0].asset_file_def

    @property
    def has_call(self) -> bool:
        """Whether the model could be called if it were loaded."""
        return "__call__" in self._children()

    def variables(self, part: str | None = None, is_list: bool = False) -> list["StoredVariable"]:
        """See `LoadedSavedModel`. With `is_list`, the attribute `part` is the list itself."""
        path = (part,) if is_list else (part, "variables") if part else ("variables",)
        found = [self._variable((*path, name)) for name in sorted(filter(str.isdecimal, self._children(path)), key=int)]
        return [variable for variable in found if variable is not None]

    def asset_path(self, name: str) -> str | None:
        """See `LoadedSavedModel`."""
        node = self._node((name,))
        if node is None or node.WhichOneof("kind") != "asset":
            return None
        with readable(self.folder):
            file = _item(self._assets, node.asset.asset_file_def_index).filename
            if Path(file).name != file:  # TensorFlow writes only names here; a path such as "../.." must not be read
                raise ValueError(f"an asset must be a file in assets/, not {file!r:.60}")
        return str(self.folder / "assets" / file)

    def flag(self, name: str) -> bool | None:
        """See `LoadedSavedModel`."""
        variable = self._variable((name,))
        return None if variable is None else bool(variable.numpy())

    def output_list_lengths(self, key: str) -> list[int]:
        """See `LoadedSavedModel`."""
        lengths, call = [], self._node(("__call__",))
        with readable(self.folder):
            for name in call.function.concrete_functions:
                outputs = self._objects.concrete_functions[name].output_signature.dict_value.fields
                if key in outputs:
                    lengths.append(len(outputs[key].list_value.values))
        return lengths

    def read_tensor(self, path: tuple[str, ...], variable: "StoredVariable"):
        """Read a variable from the checkpoint, at the same path of attribute names as in `saved_model.pb`.

        Raises:
            InputError: the checkpoint is damaged, or contains the variable with another shape or dtype.
        """
        with readable(self.folder):
            node = _item(self._checkpoint_nodes, 0)
            for name in path:
                node = _item(self._checkpoint_nodes, {child.local_name: child.node_id for child in node.children}[name])
            key = {each.name: each.checkpoint_key for each in node.attributes}["VARIABLE_VALUE"]
            stored = self._reader.get_variable_to_dtype_map()[key], self._reader.get_variable_to_shape_map()[key]
            if (stored[0], tuple(stored[1])) != (variable.dtype, variable.shape):
                raise ValueError(
                    f"{variable.name} is {variable.dtype.name} {variable.shape} in saved_model.pb, but "
                    f"{stored[0].name} {tuple(stored[1])} in the checkpoint"
                )
            return self._reader.get_tensor(key)

    def _node(self, path: tuple[str, ...]):
        """Return the object at a path of attribute names, or None."""
        with readable(self.folder):
            node = _item(self._objects.nodes, 0)
            for name in path:
                numbers = {child.local_name: child.node_id for child in node.children}
                if name not in numbers:
                    return None
                node = _item(self._objects.nodes, numbers[name])
        return node

    def _children(self, path: tuple[str, ...] = ()) -> list[str]:
        node = self._node(path)
        return [] if node is None else [child.local_name for child in node.children]

    def _variable(self, path: tuple[str, ...]) -> "StoredVariable | None":
        node = self._node(path)
        found = node is not None and node.WhichOneof("kind") == "variable"
        return StoredVariable(self, path, node.variable) if found else None

    @functools.cached_property
    def _reader(self):
        import tensorflow as tf

        return tf.train.load_checkpoint(str(self.folder / "variables" / "variables"))

    @functools.cached_property
    def _checkpoint_nodes(self):
        from tensorflow.core.protobuf import trackable_object_graph_pb2

        graph = self._reader.get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH")
        return trackable_object_graph_pb2.TrackableObjectGraph.FromString(graph).nodes


class StoredVariable:
    """A variable of a `StoredSavedModel`, with the `name`, `dtype`, `shape` and `numpy()` of a loaded variable."""

    def __init__(self, model: StoredSavedModel, path: tuple[str, ...], description):
        import tensorflow as tf

        self._model, self._path = model, path
        self.name = description.name
        self.dtype = tf.as_dtype(description.dtype)
        self.shape = tuple(axis.size for axis in description.shape.dim)

    def numpy(self):
        """Read the value from the checkpoint; see `StoredSavedModel.read_tensor`."""
        return self._model.read_tensor(self._path, self)


@contextlib.contextmanager
def readable(source):
    """Convert any error that TensorFlow raises on a damaged SavedModel to an InputError of one line."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # TensorFlow raises many error types on damaged files
        hint = " A preprocessing model is not an encoder." if "Op type not registered" in str(error) else ""
        raise InputError(
            f"`source` must be a readable SavedModel. Received: source={source} ({first_line(error)}).{hint}"
        ) from None


def _item(items, number: int):
    if not 0 <= number < len(items):
        raise ValueError(f"index {number} is out of range for {len(items)} items")
    return items[number]
