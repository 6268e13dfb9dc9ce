"""`pytorch_model.bin` is read without running code; damaged files give an error of one line."""

import io
import pickle
import struct
import zipfile

import numpy as np
import pytest

import keras_bert as kb
from keras_bert.weights.formats.pytorch_bin import read_bin

RAN = []


class MaliciousObject:
    """An object that makes pickle run code."""

    def __reduce__(self):
        return (RAN.append, (1,))


class Named:
    """A global of PyTorch, written into a pickle without PyTorch."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class Pickler(pickle._Pickler):
    """Write a pickle as PyTorch does: globals by name, storages by identity."""

    def persistent_id(self, thing):
        return thing if isinstance(thing, tuple) and thing and thing[0] == "storage" else None

    def save(self, thing, **how):
        if isinstance(thing, Named):
            self.write(b"c" + f"{thing.module}\n{thing.name}\n".encode())
        elif isinstance(thing, Tensor):
            self.save(Named("torch._utils", "_rebuild_tensor_v2"))
            self.save((thing.storage, thing.offset, thing.shape, thing.strides, False, {}))
            self.write(b"R")
        else:
            super().save(thing, **how)


class Tensor:
    def __init__(self, key, size, offset, shape, strides, dtype="FloatStorage"):
        self.storage = ("storage", Named("torch", dtype), key, "cpu", size)
        self.offset, self.shape, self.strides = offset, shape, strides


def write(path, content, numbers: dict):
    """Write a file as `torch.save` does."""
    buffer = io.BytesIO()
    Pickler(buffer, protocol=2).dump(content)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", buffer.getvalue())
        for key, value in numbers.items():
            archive.writestr(f"archive/data/{key}", value)
    return path


def test_reads_views_of_storage(tmp_path):
    numbers = np.arange(6, dtype="<f4")
    tensors = {"a": Tensor("0", 6, 0, (2, 3), (3, 1)), "b": Tensor("0", 6, 1, (2, 2), (1, 3))}
    found = read_bin(write(tmp_path / "m.bin", tensors, {"0": numbers.tobytes()}))
    np.testing.assert_array_equal(found["a"], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(found["b"], [[1, 4], [2, 5]])


def test_reads_bfloat16(tmp_path):
    halves = b"".join(struct.pack("<f", x)[2:] for x in (1.0, -2.5))
    tensors = {"a": Tensor("0", 2, 0, (2,), (1,), "BFloat16Storage")}
    np.testing.assert_array_equal(read_bin(write(tmp_path / "m.bin", tensors, {"0": halves}))["a"], [1.0, -2.5])


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ({"a": MaliciousObject()}, "^`path`.*Received: .*__builtin__"),
        ({"a": Named("os", "system")}, "^`path`.*Received: .*os.system"),
        ({"a": Named("torch", "load")}, "^`path`.*Received: .*torch.load"),
        ({"a": Tensor("0", 6, 0, (2, 3), (3, 1), "QInt8Storage")}, "^`path`.*Received: .*torch.QInt8Storage"),
        ({"a": Tensor("0", 6, 2, (2, 3), (3, 1))}, r"^`path`.*Received: path=.*m.bin .*\b6\b"),
        ({"a": Tensor("0", 6, 3, (2, 2), (-1, 1))}, r"^`path`.*Received: path=.*m.bin .*\b6\b"),
        ({"a": Tensor("0", 9, 0, (2, 3), (3, 1))}, r"^`path`.*Received: path=.*m.bin .*\b6\b.*\b9\b"),
        ({"a": Tensor("1", 6, 0, (2, 3), (3, 1))}, "^`path`.*Received: path=.*m.bin"),
        ({"a": 3}, "^`path`.*Received: path=.*m.bin .*dict"),
        ([1, 2], "^`path`.*Received: path=.*m.bin .*list"),
    ],
)
def test_rejects_everything_but_tensors(content, match, tmp_path):
    path = write(tmp_path / "m.bin", content, {"0": np.arange(6, dtype="<f4").tobytes()})
    with pytest.raises(kb.InputError, match=match) as error:
        read_bin(path)
    assert "\n" not in str(error.value) and str(path) in str(error.value)
    assert RAN == []


@pytest.mark.parametrize("content", [b"", b"some text", pickle.dumps({"a": 1})], ids=["empty", "text", "pickle"])
def test_rejects_other_files(content, tmp_path):
    (tmp_path / "m.bin").write_bytes(content)
    with pytest.raises(kb.InputError, match="^`path`.*Received: path=.*m.bin"):
        read_bin(tmp_path / "m.bin")


def test_rejects_truncated_file(tmp_path):
    path = write(tmp_path / "m.bin", {"a": Tensor("0", 6, 0, (2, 3), (3, 1))}, {"0": bytes(24)})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(kb.InputError, match="^`path`.*Received: path=.*m.bin"):
        read_bin(path)
