"""`pytorch_model.bin` is read without running code; damaged files give an error of one line."""

import argparse
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
    found, _ = read_bin(write(tmp_path / "m.bin", tensors, {"0": numbers.tobytes()}))
    np.testing.assert_array_equal(found["a"], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(found["b"], [[1, 4], [2, 5]])


def test_reads_bfloat16(tmp_path):
    halves = b"".join(struct.pack("<f", x)[2:] for x in (1.0, -2.5))
    tensors = {"a": Tensor("0", 2, 0, (2,), (1,), "BFloat16Storage")}
    np.testing.assert_array_equal(read_bin(write(tmp_path / "m.bin", tensors, {"0": halves}))[0]["a"], [1.0, -2.5])


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


@pytest.mark.parametrize("state", ["{'x': tensor}", "(None, {'__defaults__': ()})"])
def test_build_changes_no_object_of_this_process(state, tmp_path):
    """The operation BUILD sets attributes of what is on the stack, here of the function that builds tensors."""
    from keras_bert.weights.formats import plain_pickle, pytorch_bin

    before = {name: dict(vars(value)) for name, value in vars(pytorch_bin).items() if callable(value)}
    setter = {"{'x': tensor}": b"}X\x01\x00\x00\x00xK\x01s", "(None, {'__defaults__': ()})": b"N}X\x0c\x00\x00\x00"}[
        state
    ]
    setter += b"" if setter.startswith(b"}") else b"__defaults__)s\x86"
    for name in ("torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter", "collections OrderedDict"):
        named = f"c{name.replace(' ', chr(10))}\n".encode()
        with zipfile.ZipFile(tmp_path / "m.bin", "w") as archive:
            archive.writestr("archive/data.pkl", b"\x80\x02" + named + setter + b"b.")
        with pytest.raises(kb.InputError, match="^`path`"):
            read_bin(tmp_path / "m.bin")
        assert {name: dict(vars(value)) for name, value in vars(pytorch_bin).items() if callable(value)} == before
        found = plain_pickle.read_pickle(io.BytesIO(b"\x80\x02" + named + setter + b"b."))
        assert found == plain_pickle.Name(*name.split())  # a record without attributes that can be set
        with pytest.raises((AttributeError, TypeError)):
            found.x = 1


@pytest.mark.peers
def test_reads_state_dict_with_metadata(tmp_path):
    """PyTorch writes a state dict as an OrderedDict with an attribute `_metadata`, by the operation BUILD."""
    torch = pytest.importorskip("torch")
    model = torch.nn.Linear(3, 2)
    assert hasattr(model.state_dict(), "_metadata")
    for zipped in (True, False):
        torch.save(model.state_dict(), tmp_path / "m.bin", _use_new_zipfile_serialization=zipped)
        found, skipped = read_bin(tmp_path / "m.bin")
        assert list(found) == ["weight", "bias"] and skipped == []
        np.testing.assert_array_equal(found["weight"], model.weight.detach())


@pytest.mark.peers
@pytest.mark.parametrize("key", ["state_dict", "model", None])
def test_reads_weights_beside_training_state(key, tmp_path):
    torch = pytest.importorskip("torch")
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    state = {"global_step": 7, "optimizer": optimizer.state_dict(), "loss": 0.5, "args": argparse.Namespace()}
    content = {key: model.state_dict(), **state} if key else {**model.state_dict(), "global_step": 7, "loss_scale": 2.0}
    for zipped in (True, False):
        torch.save(content, tmp_path / "m.bin", _use_new_zipfile_serialization=zipped)
        found, skipped = read_bin(tmp_path / "m.bin")
        assert list(found) == ["weight", "bias"]
        assert skipped == (list(state) if key else ["global_step", "loss_scale"])
        np.testing.assert_array_equal(found["weight"], model.weight.detach())


@pytest.mark.parametrize(
    "tensor",
    [Tensor("0", 6, 0, (10**12,), (0,)), Tensor("0", 6, 0, (10**5, 10**5), (0, 0)), Tensor("0", 6, 0, (7,), (0,))],
)
def test_no_tensor_is_larger_than_its_storage(tensor, tmp_path):
    path = write(tmp_path / "m.bin", {"a": tensor}, {"0": bytes(24)})
    with pytest.raises(kb.InputError, match=r"^`path`.*a tensor of \d+ numbers .* storage of 6 numbers"):
        read_bin(path)


def test_views_share_the_numbers(tmp_path):
    tensors = {f"a{i}": Tensor("0", 10**6, 0, (1000, 1000), (1, 1000)) for i in range(500)}  # 2 GB if they were copied
    found, _ = read_bin(write(tmp_path / "m.bin", tensors, {"0": bytes(4 * 10**6)}))
    assert all(np.shares_memory(found["a0"], each) for each in found.values())


def test_rejects_compressed_and_overlapping_entries(tmp_path):
    path = write(tmp_path / "m.bin", {"a": Tensor("0", 10**6, 0, (10**6,), (1,))}, {"0": bytes(4 * 10**6)})
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(tmp_path / "small.bin", "w", zipfile.ZIP_DEFLATED) as small:
        for name in archive.namelist():
            small.writestr(name, archive.read(name))
    assert (tmp_path / "small.bin").stat().st_size < 10_000
    with pytest.raises(kb.InputError, match="^`path`.*compressed"):
        read_bin(tmp_path / "small.bin")
    with zipfile.ZipFile(tmp_path / "overlap.bin", "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02}.")
        archive.writestr("archive/data/0", bytes(1000))
        for i in range(1, 50):
            info = zipfile.ZipInfo(f"archive/data/{i}")
            info.header_offset = archive.getinfo("archive/data/0").header_offset
            info.file_size = info.compress_size = 1000
            info.CRC = 0
            archive.filelist.append(info)
            archive.NameToInfo[info.filename] = info
    with pytest.raises(kb.InputError, match="^`path`.*larger than the file"):
        read_bin(tmp_path / "overlap.bin")


def test_old_format_with_large_storage(tmp_path):
    buffer = io.BytesIO()
    for part in (0x1950A86A20F9469CFC6C, 1001, {}, {"a": Tensor("0", 10**12, 0, (10**12,), (1,))}, ["0"]):
        Pickler(buffer, protocol=2).dump(part)
    (tmp_path / "m.bin").write_bytes(buffer.getvalue() + (10**12).to_bytes(8, "little") + bytes(16))
    with pytest.raises(kb.InputError, match="^`path`.*after the end of the file"):
        read_bin(tmp_path / "m.bin")


def test_nested_data_take_no_time(tmp_path):
    """Each tuple contains the previous one twice: 2 ** 100 values, if they were written out or compared."""
    body = b"\x80\x02)q\x00" + b"".join(
        b"h" + bytes([i]) + b"h" + bytes([i]) + b"\x86q" + bytes([i + 1]) for i in range(100)
    )
    for end in (b"h\x64)R.", b"}h\x64K\x01s.", b"}X\x01\x00\x00\x00ah\x64s.", b"h\x64Q."):
        with zipfile.ZipFile(tmp_path / "m.bin", "w") as archive:
            archive.writestr("archive/data.pkl", body + end)
        with pytest.raises(kb.InputError, match="^`path`") as caught:
            read_bin(tmp_path / "m.bin")
        assert len(str(caught.value)) < 500
