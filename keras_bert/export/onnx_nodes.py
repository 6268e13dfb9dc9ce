"""What an ONNX graph is written with: nodes and weights that bear names, and the few steps a BERT repeats."""

import zlib

import keras
import numpy as np

OPSET = 20  # the first with Gelu; ONNX Runtime has it since 1.17, of January 2024


class Graph:
    """Nodes and weights so far. Every method adds to them and returns the name of what is computed there."""

    def __init__(self):
        self.nodes, self.weights, self._marked = [], {}, {}

    def op(self, kind: str, *inputs: str, name: str, outputs: list[str] | None = None, **attributes) -> str:
        """One standard operation; its output bears its name unless several are named."""
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, outputs or [name], name=name, **attributes))
        return name

    def numbers(self, name: str, *values: int) -> str:
        """Axes, a shape or a place: int64 `[N]`."""
        self.weights[name] = np.array(values, np.int64)
        return name

    def weight(self, name: str, value) -> str:
        """A tensor of the model, stored as float32; once, where several are the same, as in ALBERT's one block."""
        value = np.ascontiguousarray(value, np.float32)
        mark = (value.shape, zlib.crc32(value.data))
        for known in self._marked.setdefault(mark, []):
            if np.array_equal(self.weights[known], value):
                return known
        self._marked[mark].append(name)
        self.weights[name] = value
        return name

    def linear(self, x: str, kernel, bias, name: str) -> str:
        """x `[.., I]`, kernel `[I, O]`, bias `[O]` -> `[.., O]`."""
        product = self.op("MatMul", x, self.weight(f"{name}/kernel", kernel), name=f"{name}/product")
        return self.op("Add", product, self.weight(f"{name}/bias", bias), name=name)

    def dense(self, x: str, layer, name: str) -> str:
        """A Keras `Dense`, or the `EinsumDense` `[A, H / A, H]` that joins the heads, without its activation."""
        bias = array(layer.bias)
        return self.linear(x, array(layer.kernel).reshape(-1, bias.size), bias, name)

    def layer_norm(self, x: str, layer, name: str) -> str:
        """A Keras `LayerNormalization` over the last axis."""
        gamma = self.weight(f"{name}/gamma", array(layer.gamma))
        beta = self.weight(f"{name}/beta", array(layer.beta))
        return self.op("LayerNormalization", x, gamma, beta, name=name, axis=-1, epsilon=layer.epsilon)

    def activate(self, x: str, activation: str, name: str) -> str:
        """The activation of that name in a config."""
        if activation == "relu":
            return self.op("Relu", x, name=name)
        return self.op("Gelu", x, name=name, approximate="tanh" if activation == "gelu_tanh" else "none")

    def split(self, x: str, parts: int, name: str) -> list[str]:
        """The last axis in equal parts."""
        names = [f"{name}/{i}" for i in range(parts)]
        self.op("Split", x, name=name, outputs=names, num_outputs=parts, axis=-1)
        return names

    def heads(self, x: str, count: int, name: str, transposed: bool = False) -> str:
        """`[B, T, H]` -> `[B, A, T, H / A]`, or with its last two axes swapped."""
        shape = self.numbers(f"{name}/shape", 0, 0, count, -1)  # a 0 keeps the axis that is there
        x = self.op("Reshape", x, shape, name=f"{name}/split")  # [B, T, A, H / A]
        return self.op("Transpose", x, name=name, perm=[0, 2, 3, 1] if transposed else [0, 2, 1, 3])

    def first(self, x: str, name: str) -> str:
        """The first row of each sequence: `[B, T, H]` -> `[B, H]`."""
        self.weights[f"{name}/place"] = np.array(0, np.int64)  # without axes, so that T goes
        return self.op("Gather", x, f"{name}/place", name=name, axis=1)

    def model(self, inputs: dict, outputs: dict):
        """The `onnx.ModelProto`.

        Args:
            inputs: name to the names of its axes; all are int32.
            outputs: name to its axes, names or sizes; all are float32.
        """
        from onnx import TensorProto, helper, numpy_helper

        graph = helper.make_graph(
            self.nodes,
            "bert",
            [helper.make_tensor_value_info(name, TensorProto.INT32, axes) for name, axes in inputs.items()],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, axes) for name, axes in outputs.items()],
            [numpy_helper.from_array(value, name) for name, value in self.weights.items()],
        )
        opset = helper.make_opsetid("", OPSET)
        version = helper.find_min_ir_version_for([opset])  # a runtime refuses a newer one, needed or not
        return helper.make_model(graph, opset_imports=[opset], ir_version=version, producer_name="keras_bert")


def array(weight) -> np.ndarray:
    """A Keras variable of any backend and dtype, as float32."""
    return keras.ops.convert_to_numpy(weight).astype(np.float32)
