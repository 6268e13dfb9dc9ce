"""Reader of `pytorch_model.bin` that needs no PyTorch and runs no code of the file.

The file is a pickle, and a pickle can call any function. This reader allows only the few harmless functions and types
that tensors are built with.
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
OLD_MAGIC = 0x1950A86A20F9469CFC6C  # first value in a file of PyTorch before 1.6


def read_bin(path: Path) -> dict[str, np.ndarray]:
    """Read the tensors of a file that `torch.save` wrote, in the current format or in that of PyTorch before 1.6.

    Raises:
        InputError: the file is damaged, or contains anything other than tensors.
    """
    try:
        if zipfile.is_zipfile(path):
            found = _read_zip(path)
        else:
            with open(path, "rb") as file:
                found = _read_old(file)
    except Exception as error:  # pickle, zipfile and numpy raise many error types on damaged files
        reason = str(error) if isinstance(error, _NotAllowed) else f"{type(error).__name__}: {error}"
        raise InputError(
            "`path` must be a file of PyTorch weights: tensors only, because no code of it is run. "
            f"Received: path={path} ({reason.splitlines()[0][:200]})"
        ) from None
    if not isinstance(found, dict) or not all(isinstance(value, np.ndarray) for value in found.values()):
        raise InputError(
            f"`path` must be a file with a dict of tensors. Received: path={path} ({type(found).__name__} with "
            "other values)"
        )
    return dict(found)


class _NotAllowed(ValueError):
    """Exception for a file that is not complete, or contains something that a file of weights does not need."""


class _TensorUnpickler(pickle.Unpickler):
    """Unpickler that allows only the functions and types that tensors are built with.

    Args:
        file: the opened pickle.
        storages: function of (dtype name, key, size) that returns the numbers of a storage.
    """

    def __init__(self, file, storages):
        super().__init__(file, encoding="utf-8")
        self._storages = storages

    def find_class(self, module, name):
        """Return the object that the pickle may call; raise an error for every other name."""
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) in (("torch._utils", "_rebuild_tensor_v2"), ("torch._utils", "_rebuild_tensor")):
            return _tensor
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return lambda data, *_: data
        if module in ("torch", "torch.storage") and name in DTYPES:
            return name
        raise _NotAllowed(f"it requests {module}.{name}")

    def persistent_load(self, identity):
        """Return the numbers of one storage."""
        kind, dtype, key, _, size, *_ = identity
        if kind != "storage" or dtype not in DTYPES:
            raise _NotAllowed(f"it contains a {kind!r} of {dtype!r} instead of a storage of numbers")
        return self._storages(dtype, key, size)


def _tensor(storage, offset, shape, strides, *_) -> np.ndarray:
    """Copy a view of a storage to a contiguous array. The offset and the strides count numbers, not bytes."""
    last = offset + sum((n - 1) * s for n, s in zip(shape, strides, strict=True)) if 0 not in shape else offset - 1
    if min((offset, *strides), default=0) < 0 or last >= len(storage):
        raise _NotAllowed(f"a tensor ends at {last}, outside its storage of {len(storage)} numbers")
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
            return _TensorUnpickler(file, storage).load()


def _read_old(file):
    def no_storage(*_):
        raise _NotAllowed("a storage precedes the list of tensors")

    if _TensorUnpickler(file, no_storage).load() != OLD_MAGIC:
        raise _NotAllowed("it does not start as a file of PyTorch")
    for _ in range(2):  # skip the protocol version and the system information
        _TensorUnpickler(file, no_storage).load()
    storages = {}

    def storage(dtype, key, size):
        return storages.setdefault(key, (dtype, np.zeros(size, _numbers(b"", dtype, 0).dtype)))[1]

    start = file.tell()
    _TensorUnpickler(file, storage).load()  # the first pass lists the storages; their numbers follow in the file
    for key in _TensorUnpickler(file, no_storage).load():
        dtype, numbers = storages[key]
        count = int.from_bytes(file.read(8), "little")
        numbers[:] = _numbers(file.read(count * _dtype(dtype).itemsize), dtype, len(numbers))
    file.seek(start)
    return _TensorUnpickler(file, storage).load()


def _dtype(name: str) -> np.dtype:
    return np.dtype("<u2" if name == "BFloat16Storage" else DTYPES[name])


def _numbers(data: bytes, dtype: str, size: int) -> np.ndarray:
    numbers = np.frombuffer(data, _dtype(dtype))
    if len(numbers) < size:
        raise _NotAllowed(f"a storage has only {len(numbers)} of {size} numbers")
    if dtype == "BFloat16Storage":  # the upper 16 bits of a float32
        return (numbers.astype("<u4") << 16).view("<f4")
    return numbers
