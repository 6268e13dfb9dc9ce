"""`pytorch_model.bin` without PyTorch, and without running what is in it: tensors only, all else is refused.

A pickle is a program. This one may name a dozen harmless things, those a file of weights is made of, and no other.
"""

import collections
import pickle
import zipfile
from pathlib import Path

import numpy as np

from keras_bert.errors import InputError

DTYPES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
OLD_MAGIC = 0x1950A86A20F9469CFC6C  # what a file begins with that PyTorch before 1.6 wrote


def read_bin(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a file that `torch.save` wrote, in the format of today or of before PyTorch 1.6.

    Raises:
        InputError: it is damaged, or holds anything but tensors.
    """
    try:
        if zipfile.is_zipfile(path):
            found = _read_zip(path)
        else:
            with open(path, "rb") as file:
                found = _read_old(file)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except Exception as error:  # pickle, zipfile and numpy fail in many ways on a damaged file
        raise InputError(f"{path}: a file of PyTorch's weights is expected. Received: {_line(error)}") from None
    if not isinstance(found, dict) or not all(isinstance(value, np.ndarray) for value in found.values()):
        raise InputError(f"{path}: tensors by name are expected. Received: {type(found).__name__} of other things")
    return dict(found)


class _Weights(pickle.Unpickler):
    """Knows the names that tensors are made by; `storages` gives the numbers a name stands for."""

    def __init__(self, file, storages):
        super().__init__(file, encoding="utf-8")
        self._storages = storages

    def find_class(self, module, name):
        """What the pickle may call."""
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) in (("torch._utils", "_rebuild_tensor_v2"), ("torch._utils", "_rebuild_tensor")):
            return _tensor
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return lambda data, *_: data
        if module in ("torch", "torch.storage") and name in DTYPES:
            return name
        raise InputError(f"weights alone are read, and no code is run. Received: a file that asks for {module}.{name}")

    def persistent_load(self, identity):
        """The numbers of one storage."""
        kind, dtype, key, _, size, *_ = identity
        if kind != "storage" or dtype not in DTYPES:
            raise InputError(f"storages of numbers are expected. Received: {kind!r} of {dtype!r}")
        return self._storages(dtype, key, size)


def _tensor(storage, offset, shape, strides, *_) -> np.ndarray:
    """A view of a storage, made dense."""
    last = offset + sum((n - 1) * s for n, s in zip(shape, strides, strict=True)) if 0 not in shape else offset - 1
    if min((offset, *strides), default=0) < 0 or last >= len(storage):
        raise InputError(
            f"a tensor lies within its storage of {len(storage)} numbers. Received: one that ends at {last}"
        )
    step = storage.itemsize
    view = np.lib.stride_tricks.as_strided(storage[offset:], tuple(shape), [s * step for s in strides])
    return np.ascontiguousarray(view)


def _read_zip(path: Path):
    with zipfile.ZipFile(path) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        folder = name.removesuffix("data.pkl")

        def storage(dtype, key, size):
            return _numbers(archive.read(f"{folder}data/{key}"), dtype, size)

        with archive.open(name) as file:
            return _Weights(file, storage).load()


def _read_old(file):
    def no_storage(*_):
        raise InputError("numbers are expected after the names. Received: a storage before them")

    if _Weights(file, no_storage).load() != OLD_MAGIC:
        raise InputError("a file of PyTorch's weights is expected. Received: something else")
    for _ in range(2):  # the protocol, and facts of the machine
        _Weights(file, no_storage).load()
    storages = {}

    def storage(dtype, key, size):
        return storages.setdefault(key, (dtype, np.zeros(size, _numbers(b"", dtype, 0).dtype)))[1]

    found_at = file.tell()
    _Weights(file, storage).load()  # once to learn which storages there are; they stand behind
    for key in _Weights(file, no_storage).load():
        dtype, numbers = storages[key]
        count = int.from_bytes(file.read(8), "little")
        numbers[:] = _numbers(file.read(count * _dtype(dtype).itemsize), dtype, len(numbers))
    file.seek(found_at)
    return _Weights(file, storage).load()


def _dtype(name: str) -> np.dtype:
    return np.dtype("<u2" if name == "BFloat16Storage" else DTYPES[name])


def _numbers(data: bytes, dtype: str, size: int) -> np.ndarray:
    numbers = np.frombuffer(data, _dtype(dtype))
    if len(numbers) < size:
        raise InputError(f"a storage of {size} numbers is expected. Received: {len(numbers)}, cut short")
    if dtype == "BFloat16Storage":  # the upper half of a float32
        return (numbers.astype("<u4") << 16).view("<f4")
    return numbers


def _line(error) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0][:200]
