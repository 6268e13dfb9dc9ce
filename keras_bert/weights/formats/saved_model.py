"""A SavedModel read as a file: what hangs on it, its variables and its assets, and nothing that could run.

`tf.saved_model.load` runs the initialisers of a SavedModel's tables and resources, and those may be any operations, one
that writes a file too. Here `saved_model.pb` is parsed, and tensors are read from the checkpoint beside it.
"""

import contextlib
import dataclasses
import functools
from pathlib import Path

from keras_bert.errors import InputError


class StoredObject:
    """An object of a SavedModel: what hangs on it are its attributes, as on the loaded one, but none can be called.

    Attributes:
        variables: its list of that name, of `StoredVariable`; empty where it has none.
        has_call: whether it could be called if it were loaded.
    """

    def __init__(self, file: "_File", number: int, path: tuple[str, ...] = ()):
        self._file, self._number, self._path = file, number, path

    def __getattr__(self, name: str):
        if not name.startswith("_") and name in self._children:
            return self._child(name)
        raise AttributeError(f"no {name} in the SavedModel {self.__dict__.get('_file')}")

    @property
    def variables(self) -> list["StoredVariable"]:
        if "variables" not in self._children:
            return []
        found = self._child("variables")
        if not isinstance(found, StoredObject):
            return []
        names = sorted(filter(str.isdecimal, found._children), key=int)
        return [v for name in names if isinstance(v := found._child(name), StoredVariable)]

    @property
    def has_call(self) -> bool:
        return "__call__" in self._children

    def promised_lengths(self, key: str) -> list[int]:
        """As the function of that name."""
        lengths = []
        with readable(self._file):
            node = self._file.node(self._children["__call__"])
            for name in node.function.concrete_functions:
                outputs = self._file.objects.concrete_functions[name].output_signature.dict_value.fields
                if key in outputs:
                    lengths.append(len(outputs[key].list_value.values))
        return lengths

    @functools.cached_property
    def _children(self) -> dict[str, int]:
        with readable(self._file):
            return {child.local_name: child.node_id for child in self._file.node(self._number).children}

    def _child(self, name: str):
        number, path = self._children[name], (*self._path, name)
        with readable(self._file):
            node = self._file.node(number)
            kind = node.WhichOneof("kind")
            if kind == "asset":
                return StoredAsset(self._file.asset(node.asset.asset_file_def_index))
            if kind == "variable":
                return StoredVariable(self._file, path, node.variable)
        return StoredObject(self._file, number, path)


class StoredVariable:
    """A variable of a SavedModel, with the `name`, `dtype`, `shape` and `numpy()` of the loaded one."""

    def __init__(self, file: "_File", path: tuple[str, ...], described):
        import tensorflow as tf

        self._file, self._path = file, path
        self.name = described.name
        self.dtype = tf.as_dtype(described.dtype)
        self.shape = tuple(axis.size for axis in described.shape.dim)

    def numpy(self):
        """Its value; InputError where the checkpoint has none, another shape, or cannot be read."""
        with readable(self._file):
            reader, key = self._file.reader, self._file.key(self._path)
            shape, dtype = reader.get_variable_to_shape_map()[key], reader.get_variable_to_dtype_map()[key]
            if tuple(shape) != self.shape or dtype != self.dtype:
                stored = f"{dtype.name} {tuple(shape)}"
                raise ValueError(f"{self.name} is {self.dtype.name} {self.shape}, and {stored} in the checkpoint")
            return reader.get_tensor(key)


@dataclasses.dataclass(frozen=True)
class StoredAsset:
    """A file that came with a SavedModel."""

    path: str


def open_saved_model(folder) -> StoredObject:
    """The root of a SavedModel; nothing of it is loaded or run.

    Raises:
        InputError: `saved_model.pb` cannot be read or is none of TensorFlow 2.
    """
    return StoredObject(_File(Path(folder)), 0)


def asset_path(model, name: str) -> str | None:
    """The path of a file that came with a SavedModel, stored or loaded; None where it has none of that name."""
    asset = getattr(model, name, None)
    if isinstance(model, StoredObject) or asset is None:
        return asset.path if isinstance(asset, StoredAsset) else None
    return asset.asset_path.numpy().decode()


def promised_lengths(model, key: str) -> list[int]:
    """How many tensors each form of a SavedModel's call promises in the list that its outputs have by a name."""
    if isinstance(model, StoredObject):
        return model.promised_lengths(key)
    outputs = [function.structured_outputs for function in getattr(model.__call__, "concrete_functions", ())]
    return [len(each[key]) for each in outputs if isinstance(each, dict) and key in each]


@contextlib.contextmanager
def readable(source):
    """Turn whatever a damaged SavedModel makes TensorFlow raise into one line."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # TensorFlow raises nearly everything on a damaged file
        hint = "; a preprocessing model is no encoder" if "Op type not registered" in str(error) else ""
        raise InputError(f"expected a SavedModel that loads{hint}. Received: {source} ({first_line(error)})") from None


def first_line(error) -> str:
    """An error in a line, its own first."""
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]


class _File:
    """`saved_model.pb`, and the checkpoint beside it once a tensor is asked for."""

    def __init__(self, folder: Path):
        from tensorflow.core.protobuf import saved_model_pb2

        self.folder = folder
        with readable(folder):
            graphs = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes()).meta_graphs
            if len(graphs) != 1 or not graphs[0].object_graph_def.nodes:
                raise ValueError("saved_model.pb holds no objects of TensorFlow 2")
            self.objects, self._assets = graphs[0].object_graph_def, graphs[0].asset_file_def

    def __str__(self) -> str:
        return str(self.folder)

    def node(self, number: int):
        return _at(self.objects.nodes, number)

    def asset(self, number: int) -> str:
        name = _at(self._assets, number).filename
        if Path(name).name != name:  # TensorFlow writes no other, and reads "../../elsewhere"
            raise ValueError(f"an asset lies in assets, and not in {name!r:.60}")
        return str(self.folder / "assets" / name)

    @functools.cached_property
    def reader(self):
        import tensorflow as tf

        return tf.train.load_checkpoint(str(self.folder / "variables" / "variables"))

    @functools.cached_property
    def _saved(self):
        from tensorflow.core.protobuf import trackable_object_graph_pb2

        graph = self.reader.get_tensor("_CHECKPOINTABLE_OBJECT_GRAPH")
        return trackable_object_graph_pb2.TrackableObjectGraph.FromString(graph).nodes

    def key(self, path: tuple[str, ...]) -> str:
        """What the checkpoint calls the variable at a place: the same names lead there as in `saved_model.pb`."""
        node = _at(self._saved, 0)
        for name in path:
            numbers = {child.local_name: child.node_id for child in node.children}
            node = _at(self._saved, numbers[name])
        return {each.name: each.checkpoint_key for each in node.attributes}["VARIABLE_VALUE"]


def _at(items, number: int):
    if not 0 <= number < len(items):
        raise ValueError(f"a number out of range: {number} of {len(items)}")
    return items[number]
