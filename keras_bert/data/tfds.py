"""Loader of TensorFlow Datasets (TFDS) by name, with a fast check of the network."""

from keras_bert.errors import InputError
from keras_bert.extras import require


def load_tfds(name: str, split: str, hint: str):
    """Load a split of a TFDS dataset, and download and prepare it first if necessary.

    Args:
        name: name of the dataset, such as `"glue/sst2"`.
        split: name of the split, such as `"train"`.
        hint: what the user can do without the network; the last sentence of the error message.

    Returns:
        A `tf.data.Dataset` of dicts.

    Raises:
        InputError: the dataset or the split does not exist, there is no network, or the download fails.
    """
    builder = open_tfds(name, hint)
    try:
        return builder.as_dataset(split=split)
    except ValueError:
        splits = ", ".join(builder.info.splits)
        raise InputError(f"`split` must be one of {splits} for {name!r}. Received: split={split!r}") from None


def open_tfds(name: str, hint: str):
    """Return the TFDS builder of a dataset that is prepared, see `load_tfds`."""
    require("tensorflow", "TensorFlow Datasets")
    tfds = require("tensorflow_datasets", f"the data set {name}")
    try:
        builder = tfds.builder(name)
    except (tfds.core.DatasetNotFoundError, ValueError) as error:  # an unknown config is a ValueError
        first_line = str(error).strip().splitlines()[0]
        raise InputError(
            f"`name` must be a TFDS dataset. Received: name={name!r} ({first_line.rstrip('.')}). {hint}"
        ) from None
    if not builder.is_prepared():
        _check_network(builder, name, hint)
        try:
            builder.download_and_prepare()
        except Exception as error:  # TFDS raises many kinds of errors here
            reason = (str(error).strip().splitlines() or [""])[0]
            raise InputError(
                f"`name` must be a TFDS dataset that can be downloaded. Received: name={name!r} "
                f"({type(error).__name__} {reason.rstrip('.')}). {hint}"
            ) from None
    return builder


def _check_network(builder, name: str, hint: str) -> None:
    import urllib.error
    import urllib.request

    # TFDS retries for minutes before it fails: first send one short request to the server of the dataset.
    url = getattr(builder.builder_config, "data_url", None) or next(iter(builder.url_infos or {}), None)
    if url is None or not url.startswith("http"):
        return
    try:
        urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=10).close()
    except urllib.error.HTTPError:
        pass  # the network works, because the server responded
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise InputError(
            "`name` must be a TFDS dataset that can be downloaded. "
            f"Received: name={name!r} (no network: {reason}). {hint}"
        ) from None
