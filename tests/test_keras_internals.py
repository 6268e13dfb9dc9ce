"""Each private name of Keras that the package uses still does what it is used for."""

import ast
import functools
import importlib
import inspect
import re
import tomllib
import types
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_bert import keras_internals


def built_optimizer():
    variables = [keras.Variable(np.ones(2, "float32"), name=name) for name in ("kernel", "bias")]
    optimizer = keras.optimizers.AdamW(keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5))
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.build(variables)
    return optimizer, variables


def built_attention(**settings):
    attention = keras.layers.MultiHeadAttention(2, 4, dropout=0.3, **settings)
    attention.build((None, None, 8), (None, None, 8))
    return attention


def test_momentums_and_velocities():
    optimizer, variables = built_optimizer()
    optimizer.apply([keras.ops.ones(2), keras.ops.ones(2)], variables)
    for variable in keras_internals.momentums(optimizer):
        np.testing.assert_allclose(variable, 0.1, rtol=1e-5)
    for variable in keras_internals.velocities(optimizer):
        np.testing.assert_allclose(variable, 0.001, rtol=1e-4)


def test_variable_index_and_optimized_variables():
    optimizer, variables = built_optimizer()
    assert [keras_internals.variable_index(optimizer, variable) for variable in variables] == [0, 1]
    assert keras_internals.variable_index(optimizer, variables[1].value) == 1
    assert [id(variable) for variable in keras_internals.optimized_variables(optimizer)] == list(map(id, variables))


def test_uses_weight_decay():
    optimizer, variables = built_optimizer()
    assert [keras_internals.uses_weight_decay(optimizer, variable) for variable in variables] == [True, False]


def test_clipped():
    gradients = [keras.ops.convert_to_tensor([3.0, 4.0]), None]
    first, second = keras_internals.clipped(keras.optimizers.AdamW(0.1, global_clipnorm=1.0), gradients)
    np.testing.assert_allclose(first, [0.6, 0.8], rtol=1e-5)
    assert second is None
    first, _ = keras_internals.clipped(keras.optimizers.AdamW(0.1), gradients)
    np.testing.assert_allclose(first, [3.0, 4.0])


def test_schedule_of():
    optimizer, _ = built_optimizer()
    assert isinstance(keras_internals.schedule_of(optimizer), keras.optimizers.schedules.ExponentialDecay)
    assert keras_internals.schedule_of(keras.optimizers.AdamW(0.1)) is None


def test_initial_epoch(tmp_path):
    class Record(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            epochs.append(epoch)

    epochs, model = [], keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", jit_compile=False)
    assert keras_internals.initial_epoch(model) is None
    keras_internals.set_initial_epoch(model, 2)
    backup = keras.callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
    model.fit(np.ones((2, 1)), np.ones(2), epochs=4, callbacks=[backup, Record()], verbose=0)
    assert epochs == [2, 3]
    keras_internals.set_initial_epoch(model, None)
    backup.set_model(model)
    backup.on_train_begin()
    assert keras_internals.initial_epoch(model) == 4


def test_is_rematerialized():
    assert not keras_internals.is_rematerialized(keras.layers.Dense(2))
    with keras.RematScope(mode="full"):
        assert keras_internals.is_rematerialized(keras.layers.Dense(2))


def test_attention_softmax():
    softmax = keras_internals.attention_softmax(built_attention())
    assert type(softmax) is keras.layers.Softmax
    np.testing.assert_allclose(softmax(np.zeros((1, 1, 1, 4), "float32")), 0.25)


def test_attention_dropout():
    dropout = keras_internals.attention_dropout(built_attention())
    assert type(dropout) is keras.layers.Dropout and dropout.rate == 0.3


def test_has_attention_options():
    assert not keras_internals.has_attention_options(built_attention())
    assert keras_internals.has_attention_options(built_attention(use_gate=True))
    assert keras_internals.has_attention_options(built_attention(sliding_window=2))
    assert keras_internals.has_attention_options(keras.layers.MultiHeadAttention(2, 4, flash_attention=True))


def test_keras_mask():
    masked = keras.layers.Masking()(np.array([[[0.0], [1.0]]], "float32"))
    np.testing.assert_array_equal(keras_internals.keras_mask(masked), [[False, True]])
    assert keras_internals.keras_mask(keras.ops.ones(2)) is None


def test_uncast_value_is_not_cast_in_a_mixed_layer():
    seen = {}

    class Reader(keras.layers.Layer):
        def build(self, shape):
            self.table = self.add_weight(shape=(2,), name="table")

        def call(self, x):
            seen["uncast"] = keras.backend.standardize_dtype(keras_internals.uncast_value(self.table).dtype)
            seen["value"] = keras.backend.standardize_dtype(self.table.value.dtype)
            return x

    Reader(dtype="mixed_bfloat16")(np.ones((1, 2), "float32"))
    assert seen == {"uncast": "float32", "value": "bfloat16"}


def test_set_untracked():
    layer, other = keras.layers.Dense(2), keras.layers.Dense(3)
    layer.build((None, 2))
    other.build((None, 2))
    keras_internals.set_untracked(layer, "other", other)
    assert layer.other is other and len(layer.weights) == 2


def test_layers_in():
    inner, outer = keras.Sequential([keras.layers.Dense(2)]), keras.Sequential([keras.layers.Dropout(0.1)])
    outer.add(inner)
    assert keras_internals.layers_in(outer, recursive=False) == [outer.layers[0], inner]
    assert {*keras_internals.layers_in(outer)} == {outer.layers[0], inner, inner.layers[0]}


def test_own_variables_and_stored_kernel():
    dense, table = keras.layers.Dense(2), keras.layers.Embedding(3, 2)
    dense.build((None, 4))
    table.build()
    dense.enable_lora(1)
    names = [variable.name for variable in keras_internals.own_variables(dense)]
    assert names == ["kernel", "bias", "lora_kernel_a", "lora_kernel_b"]
    assert isinstance(keras_internals.stored_kernel(dense), keras.Variable)  # with LoRA, `dense.kernel` is a tensor
    assert keras_internals.stored_kernel(table) is table.embeddings
    dense.quantize("int8")
    names = {variable.name for variable in keras_internals.own_variables(dense, trainable_only=False)}
    assert names == {"kernel", "kernel_scale", "bias", "lora_kernel_a", "lora_kernel_b"}


def test_replace_layer_and_order_layers():
    class Pair(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.first, self.second = keras.layers.Dense(2), keras.layers.Dense(3)

        def build(self, shape):
            self.first.build(shape)
            self.second.build(shape)

    pair, new = Pair(), keras.layers.Dense(5)
    pair.build((None, 4))
    new.build((None, 4))
    keras_internals.replace_layer(pair, pair.first, new)
    pair.first = new
    assert [tuple(weight.shape) for weight in pair.weights] == [(4, 3), (3,), (4, 5), (5,)]
    keras_internals.order_layers(pair, [new])
    assert [tuple(weight.shape) for weight in pair.weights] == [(4, 5), (5,), (4, 3), (3,)]


def test_unwrap_quantize():
    class Probe(keras.layers.Dense):
        def quantize(self, mode=None, **kwargs):
            return mode

    probe = Probe(2)
    with pytest.raises(ValueError, match="GPTQConfig"):
        probe.quantize("gptq")
    keras_internals.unwrap_quantize(probe)
    assert probe.quantize("gptq") == "gptq"


def test_uncast_value_in_a_stateless_scope():
    variable = keras.Variable([1.0])
    with keras.StatelessScope([(variable, keras.ops.convert_to_tensor([2.0]))]):
        np.testing.assert_array_equal(keras_internals.uncast_value(variable), [2.0])
    np.testing.assert_array_equal(keras_internals.uncast_value(variable), [1.0])


def test_all_layers():
    inner = keras.Sequential([keras.layers.Dense(2)])
    model = keras.Sequential([inner, inner, keras.layers.Dropout(0.1)])
    found = keras_internals.all_layers(model)
    assert found[0] is model and found.index(inner) < found.index(inner.layers[0])
    assert {id(layer) for layer in found} == {id(layer) for layer in (model, inner, inner.layers[0], model.layers[-1])}
    assert len(found) == 4


def test_seed_generators():
    dropout = keras.layers.Dropout(0.1)
    model = keras.Sequential([keras.layers.Dense(2), dropout, dropout])
    assert keras_internals.seed_generators(model) == [dropout.seed_generator]


def test_sublayers_own_weights_and_call_shapes():
    inputs = keras.Input((None, 3), name="inputs")
    dense, inner = keras.layers.Dense(4, name="dense"), keras.Sequential([keras.layers.Dense(2)], name="inner")
    model = keras.Model(inputs, inner(dense(inputs)))
    assert keras_internals.sublayers(model)[1:] == [dense, inner]
    assert keras_internals.own_weights(model) == []
    assert [weight.name for weight in keras_internals.own_weights(dense)] == ["kernel", "bias"]
    assert keras_internals.call_shapes(dense) == ([(None, None, 3)], [(None, None, 4)])
    assert keras_internals.call_shapes(keras.layers.Dense(1)) == ([], [])


def test_keep_inputs():
    class Kind(keras.layers.Layer):
        def call(self, x):
            return type(x).__name__

    layer = Kind()
    with pytest.raises(ValueError, match="positional argument"):
        layer("text")
    layer = Kind()
    keras_internals.keep_inputs(layer)
    assert layer("text") == "str" and layer(np.ones(2)) == "ndarray"


def test_adam_with_hooks():
    """Keras calls both hooks, and without changes the optimizer is `keras.optimizers.AdamW`."""
    called = set()

    class Probe(keras_internals.AdamWithHooks):
        def decay_weights(self, variables):
            called.add("decay")
            super().decay_weights(variables)

        def current_learning_rate(self):
            called.add("rate")
            return super().current_learning_rate()

    results = []
    for optimizer in (Probe(0.1, weight_decay=0.1), keras.optimizers.AdamW(0.1, weight_decay=0.1)):
        variable = keras.Variable(np.full(2, 3, "float32"))
        optimizer.apply([keras.ops.ones(2)], [variable])
        results.append(keras.ops.convert_to_numpy(variable))
    assert called == {"decay", "rate"}
    np.testing.assert_array_equal(*results)


def test_every_function_has_a_test():
    """A name of `keras_internals` is used in this file."""
    text = Path(__file__).read_text(encoding="utf-8")
    public = [name for name, value in vars(keras_internals).items() if _is_own(value) and not name.startswith("_")]
    assert len(public) >= 16
    assert not [name for name in public if f"keras_internals.{name}" not in text]


def _is_own(value) -> bool:
    return getattr(value, "__module__", None) == keras_internals.__name__


# The private names of Keras: attributes and methods in its source.
PRIVATE = re.compile(r"(?:\.|def )(_[a-z]\w*)")


@functools.cache
def private_names(source: str) -> frozenset[str]:
    return frozenset(PRIVATE.findall(source))


@functools.cache
def all_private_names() -> frozenset[str]:
    files = Path(keras.src.__file__).parent.rglob("*.py")
    return frozenset().union(*(private_names(file.read_text(encoding="utf-8")) for file in files))


def inherited_names(cls) -> frozenset[str]:
    """Return the private names of the Keras classes that a class inherits from."""
    bases = [base for base in cls.__mro__ if base.__module__.startswith("keras.")]
    return frozenset().union(*(private_names(inspect.getsource(base)) for base in bases))


def uses(tree, module):
    """Yield `(line, name)` of the private names of Keras that a file uses, and of its imports of `keras.src`.

    In a class, the names of `self` are compared with those of its Keras base classes; the names of other objects, and
    strings given to `getattr` and similar functions, with all private names of Keras.
    """
    for cls in [None, *(node for node in tree.body if isinstance(node, ast.ClassDef))]:
        inherited = inherited_names(getattr(module, cls.name)) if cls else frozenset()
        outside = [node for node in tree.body if not isinstance(node, ast.ClassDef)]
        for node in (each for root in ([cls] if cls else outside) for each in ast.walk(root)):
            name, names = None, all_private_names()
            if isinstance(node, ast.Attribute):
                name = node.attr
                if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
                    names = inherited
                elif ast.unparse(node.value) in ("super()", "type(self)"):
                    names = inherited
            elif isinstance(node, ast.FunctionDef) and cls:
                name, names = node.name, inherited
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("attr", "attrgetter")):
                name = next((each.value for each in node.args[-2:] if isinstance(each, ast.Constant)), None)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                imported = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
                if any(each.startswith("keras.src") for each in imported):
                    yield node.lineno, "keras.src"
            if name in names or name == "src":
                yield node.lineno, name


PACKAGE = Path(keras_internals.__file__).parent
FILES = [path.relative_to(PACKAGE).as_posix() for path in sorted(PACKAGE.rglob("*.py"))]


@pytest.mark.parametrize("file", [file for file in FILES if file not in ("keras_internals.py", "__main__.py")])
def test_no_other_file_uses_private_names(file):
    name = ".".join(["keras_bert", *Path(file).with_suffix("").parts]).removesuffix(".__init__")
    source = (PACKAGE / file).read_text(encoding="utf-8")
    assert not list(uses(ast.parse(source), importlib.import_module(name)))


FORBIDDEN = """
import keras, operator
from keras.src.backend import KerasTensor
def outside(model):
    keras.src.ops
    getattr(model, "_flatten_layers")
    model.optimizer._momentums
class Block(keras.layers.Layer):
    def _get_call_context(self):
        self._losses = []
        super()._open_name_scope()
        self._own = None
class Plain:
    def _losses(self):
        self._losses
"""


def test_uses_finds_private_names():
    module = types.ModuleType("forbidden")
    Block = type("Block", (keras.layers.Layer,), {})
    vars(module).update(Block=Block, Plain=type("Plain", (), {}))
    found = {name for _, name in uses(ast.parse(FORBIDDEN), module)}
    expected = {"keras.src", "src", "_flatten_layers", "_momentums", "_get_call_context", "_losses", "_open_name_scope"}
    assert found == expected
    assert sum(name == "_losses" for _, name in uses(ast.parse(FORBIDDEN), module)) == 1


def test_upper_bound():
    """An installation takes no version of Keras that this file has not been run with."""
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (keras_requirement,) = (line for line in project["dependencies"] if re.match(r"keras\b(?!-)", line))
    major, minor = map(int, keras.__version__.split(".")[:2])
    assert keras_requirement == f"keras>={major}.{minor},<{major}.{minor + 1}"
