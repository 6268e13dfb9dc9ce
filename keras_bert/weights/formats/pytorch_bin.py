"""Reader of `pytorch_model.bin` that needs no PyTorch and runs no code of the file.

The file is a pickle of tensors and, after or beside it, their numbers. No array is larger than the file.
"""

import io
import zipfile
from pathlib import Path

import numpy as np

from keras_bert.errors import InputError
from keras_bert.weights.formats.plain_pickle import Call, Name, NotAllowed, Persistent, read_pickle

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
TENSORS = (Name("torch._utils", "_rebuild_tensor_v2"), Name("torch._utils", "_rebuild_tensor"))
PARAMETER = Name("torch._utils", "_rebuild_parameter")
# Where training programs put the weights, beside the state of the optimizer and counters.
WEIGHT_KEYS = ("state_dict", "model_state_dict", "model", "module")


def read_bin(path: Path) -> tuple[dict[str, np.ndarray], list[str]]:
    """Read the tensors of a file that `torch.save` wrote, in the current format or in that of PyTorch before 1.6.

    Args:
        path: the file.

    Returns:
        dict of name to array, and the names of what was not read: the training state beside the weights.

    Raises:
        InputError: the file is damaged, or contains other objects than tensors.
    """
    size = path.stat().st_size if path.is_file() else 0
    try:
        if zipfile.is_zipfile(path):
            return _weights(*_read_zip(path, size))
        with open(path, "rb") as file:
            return _weights(*_read_old(file, size))
    except Exception as error:  # pickletools, zipfile and numpy raise many error types on damaged files
        reason = str(error) if isinstance(error, NotAllowed) else f"{type(error).__name__}: {error}"
        raise InputError(
            "`path` must be a file of PyTorch weights: a dict of tensors, because no code of it is run. "
            f"Received: path={path} ({reason.splitlines()[0][:200]})"
        ) from None


def _weights(content, storage) -> tuple[dict[str, np.ndarray], list[str]]:
    """Convert the tensors in a dict to arrays; `storage` is a function of the identity of a storage."""
    if not isinstance(content, dict):
        raise NotAllowed(f"a {type(content).__name__} instead of a dict")
    skipped = []
    for key in WEIGHT_KEYS:
        inner = content.get(key)
        if isinstance(inner, dict) and any(map(_is_tensor, inner.values())):
            skipped = [str(name) for name in content if name != key]
            content = inner
            break
    found = {}
    for name, value in content.items():
        if _is_tensor(value):
            found[name] = _to_array(value, storage)
        elif isinstance(value, Call | Name):
            raise NotAllowed(f"it requests {_shown(value)}")
        else:
            skipped.append(str(name))
    if not found or not all(isinstance(name, str) for name in found):
        raise NotAllowed("a dict without tensors, or with a name that is no string")
    return found, skipped


def _shown(value) -> str:
    """Return a short text for a message; nested data may be too large to be written out."""
    while isinstance(value, Call):
        value = value.function
    return str(value)[:80] if isinstance(value, Name | str | int) else type(value).__name__


def _is_tensor(value) -> bool:
    return isinstance(value, Call) and (value.function in TENSORS or value.function == PARAMETER)


def _to_array(call: Call, storage) -> np.ndarray:
    """Return a view of a storage. The offset and the strides count numbers, not bytes."""
    if call.function == PARAMETER:
        call = call.arguments[0]
    if not _is_tensor(call) or not isinstance(call.arguments[0], Persistent):
        raise NotAllowed("a tensor has no storage")
    reference, offset, shape, strides, *_ = call.arguments
    numbers = storage(reference.identity)
    if not all(type(each) is int and each >= 0 for each in (offset, *shape, *strides)):
        raise NotAllowed(f"a shape or a stride is no integer of at least 0, for a storage of {len(numbers)} numbers")
    last = offset + sum((n - 1) * s for n, s in zip(shape, strides, strict=True)) if 0 not in shape else offset - 1
    count = 1
    for each in shape:
        count *= each
    if last >= len(numbers) or count > len(numbers):  # a stride of 0 repeats numbers
        raise NotAllowed(f"a tensor of {count} numbers ends at {last}, outside its storage of {len(numbers)} numbers")
    step = numbers.itemsize
    return np.lib.stride_tricks.as_strided(numbers[offset:], tuple(shape), [s * step for s in strides], writeable=False)


def _read_zip(path: Path, size: int):
    """Read the pickle in a ZIP file; the function that is returned reads the numbers of a storage."""
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        # `torch.save` does not compress. Compressed entries, or overlapping ones, could be larger than the file.
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise NotAllowed("an entry is compressed")
        if sum(entry.file_size for entry in entries) > size:
            raise NotAllowed("its entries are larger than the file")
        (name,) = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        content = read_pickle(io.BytesIO(archive.read(name)))
    folder, cache = name.removesuffix("data.pkl"), {}

    def storage(identity):
        dtype, key, count = _storage(identity)
        if (dtype, key) not in cache:
            with zipfile.ZipFile(path) as archive:
                cache[dtype, key] = _numbers(archive.read(f"{folder}data/{key}"), dtype)
        return _complete(cache[dtype, key], count)

    return content, storage


def _read_old(file, size: int):
    if read_pickle(file) != OLD_MAGIC:
        raise NotAllowed("it does not start as a file of PyTorch")
    for _ in range(2):  # the protocol version and the system information
        read_pickle(file)
    content, keys = read_pickle(file), read_pickle(file)  # the numbers follow, in the order of `keys`
    positions, dtypes = {}, {}
    for identity in _identities(content):
        dtype, key, _ = _storage(identity)
        dtypes[key] = dtype
    for key in keys:
        count = int.from_bytes(file.read(8), "little")
        data = file.tell(), count * _dtype(dtypes[key]).itemsize
        if sum(data) > size:
            raise NotAllowed(f"a storage ends at {sum(data)}, after the end of the file")
        positions[key] = data
        file.seek(sum(data))
    cache = {}

    def storage(identity):
        dtype, key, count = _storage(identity)
        if (dtype, key) not in cache:
            start, length = positions[key]
            with open(file.name, "rb") as opened:
                opened.seek(start)
                cache[dtype, key] = _numbers(opened.read(length), dtype)
        return _complete(cache[dtype, key], count)

    return content, storage


def _identities(content):
    """Yield the identities of all storages in the content of a pickle."""
    remaining, seen = [content], set()
    while remaining:
        value = remaining.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, dict):
            remaining += value.values()
        elif isinstance(value, list | tuple):
            remaining += value
        elif isinstance(value, Call):
            remaining.append(value.arguments)
        elif isinstance(value, Persistent):
            yield value.identity


def _storage(identity) -> tuple[str, str, int]:
    """Return the dtype, the key and the size of a storage."""
    kind, name, key, _, count, *_ = identity
    is_known = isinstance(name, Name) and name.module in ("torch", "torch.storage") and name.name in DTYPES
    if kind != "storage" or not is_known or not isinstance(key, str) or type(count) is not int:
        raise NotAllowed(f"it contains a {_shown(kind)} of {_shown(name)} instead of a storage of numbers")
    return name.name, key, count


def _complete(numbers: np.ndarray, count: int) -> np.ndarray:
    if len(numbers) < count:
        raise NotAllowed(f"a storage has only {len(numbers)} of {count} numbers")
    return numbers[: max(count, 0)]


def _dtype(name: str) -> np.dtype:
    return np.dtype("<u2" if name == "BFloat16Storage" else DTYPES[name])


def _numbers(data: bytes, dtype: str) -> np.ndarray:
    numbers = np.frombuffer(data, _dtype(dtype))
    if dtype == "BFloat16Storage":  # the upper 16 bits of a float32
        return (numbers.astype("<u4") << 16).view("<f4")
    return numbers
