"""An ONNX graph under construction: named nodes, named weights, and the operations that BERT repeats."""

import zlib

import keras
import numpy as np

OPSET = 20  # the first with Gelu; ONNX Runtime supports it since 1.17 (January 2024)


class Graph:
    """Nodes and weights of an ONNX graph. Most methods add to them and return the name of the computed tensor.

    Args:
        all_positions: whether every block computes all positions, because its tensors are outputs.
    """

    def __init__(self, all_positions: bool = False):
        self.all_positions = all_positions
        self.nodes, self.weights, self._names_by_checksum = [], {}, {}

    def op(self, kind: str, *inputs: str, name: str, outputs: list[str] | None = None, **attributes) -> str:
        """Add one standard operation. Its output has the operation's name, unless `outputs` names several."""
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, outputs or [name], name=name, **attributes))
        return name

    def integers(self, name: str, *values: int) -> str:
        """Add a constant int64 vector: axes, a shape or indices."""
        self.weights[name] = np.array(values, np.int64)
        return name

    def weight(self, name: str, value) -> str:
        """Add a weight as float32. Equal weights are stored once, such as those of ALBERT's shared block."""
        value = np.ascontiguousarray(value, np.float32)
        checksum = (value.shape, zlib.crc32(value.data))
        for known in self._names_by_checksum.setdefault(checksum, []):
            if np.array_equal(self.weights[known], value):
                return known
        self._names_by_checksum[checksum].append(name)
        self.weights[name] = value
        return name

    def linear(self, x: str, kernel, bias, name: str) -> str:
        """Compute x `[..., I]` times kernel `[I, O]` plus bias `[O]`: `[..., O]`."""
        product = self.op("MatMul", x, self.weight(f"{name}/kernel", kernel), name=f"{name}/product")
        return self.op("Add", product, self.weight(f"{name}/bias", bias), name=name)

    def dense(self, x: str, layer, name: str) -> str:
        """Compute a Keras `Dense`, or an `EinsumDense` with kernel `[A, H / A, H]`, without its activation."""
        bias = array(layer.bias)
        return self.linear(x, array(layer.kernel).reshape(-1, bias.size), bias, name)

    def layer_norm(self, x: str, layer, name: str) -> str:
        """Compute a Keras `LayerNormalization` over the last axis."""
        gamma = self.weight(f"{name}/gamma", array(layer.gamma))
        beta = self.weight(f"{name}/beta", array(layer.beta))
        return self.op("LayerNormalization", x, gamma, beta, name=name, axis=-1, epsilon=layer.epsilon)

    def activate(self, x: str, activation: str, name: str) -> str:
        """Compute the activation with this name in a `BertConfig`."""
        if activation == "relu":
            return self.op("Relu", x, name=name)
        return self.op("Gelu", x, name=name, approximate="tanh" if activation == "gelu_tanh" else "none")

    def split(self, x: str, parts: int, name: str) -> list[str]:
        """Split the last axis into equal parts."""
        names = [f"{name}/{i}" for i in range(parts)]
        self.op("Split", x, name=name, outputs=names, num_outputs=parts, axis=-1)
        return names

    def split_heads(self, x: str, num_heads: int, width: int, name: str, transposed: bool = False) -> str:
        """Reshape `[B, T, H]` to `[B, A, T, H / A]`, or to `[B, A, H / A, T]` if transposed. `width` is H / A."""
        # 0 keeps an axis as it is. With -1 for the width, ONNX Runtime rejects a batch of zero rows.
        shape = self.integers(f"{name}/shape", 0, 0, num_heads, width)
        x = self.op("Reshape", x, shape, name=f"{name}/split")  # [B, T, A, H / A]
        return self.op("Transpose", x, name=name, perm=[0, 2, 3, 1] if transposed else [0, 2, 1, 3])

    def first_token(self, x: str, name: str) -> str:
        """Select the first token of each sequence: `[B, T, H]` to `[B, H]`."""
        self.weights[f"{name}/index"] = np.array(0, np.int64)  # a scalar index removes the axis
        return self.op("Gather", x, f"{name}/index", name=name, axis=1)

    def to_model(self, inputs: dict, outputs: dict):
        """Build the `onnx.ModelProto`.

        Args:
            inputs: a dict of name to the names of its axes. All inputs are int32.
            outputs: a dict of name to its axes, names or sizes. All outputs are float32.
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
        version = helper.find_min_ir_version_for([opset])  # a runtime rejects newer versions than its own
        return helper.make_model(graph, opset_imports=[opset], ir_version=version, producer_name="keras_bert")


def array(weight) -> np.ndarray:
    """Convert a Keras variable of any backend and dtype to a float32 array."""
    return keras.ops.convert_to_numpy(weight).astype(np.float32)
