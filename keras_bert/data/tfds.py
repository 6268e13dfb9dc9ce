"""TensorFlow Datasets by name, with one clear line where there is no network."""

import urllib.error
import urllib.request

from keras_bert.errors import InputError


def load_tfds(name: str, split: str, instead: str):
    """A split of a TFDS data set, downloaded and prepared if it is not there yet.

    Args:
        name: such as `"glue/sst2"`.
        split: such as `"train"`.
        instead: what the user may do where the network is not reached; it ends the error line.

    Returns:
        A `tf.data.Dataset` of dicts.

    Raises:
        InputError: no such data set or split, no network, or the download fails.
    """
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(name)
    except (tfds.core.DatasetNotFoundError, ValueError) as error:  # an unknown config is a ValueError
        first_line = str(error).strip().splitlines()[0]
        raise InputError(f"TFDS has no data set {name!r}. Received: {first_line}; {instead}") from None
    if not builder.is_prepared():
        _reach(builder, name, instead)
        try:
            builder.download_and_prepare()
        except Exception as error:  # TFDS has dozens of ways to fail here, none of them ours
            reason = (str(error).strip().splitlines() or [""])[0]
            raise InputError(
                f"downloading {name!r} from TFDS failed; {instead}. Received: {type(error).__name__} {reason}"
            ) from None
    try:
        return builder.as_dataset(split=split)
    except ValueError:
        has = ", ".join(builder.info.splits)
        raise InputError(f"TFDS {name!r} has the splits {has}. Received: {split!r}") from None


def _reach(builder, name: str, instead: str) -> None:
    # TFDS itself retries for minutes before it gives up, so ask once, quickly, whether its source can be reached.
    url = getattr(builder.builder_config, "data_url", None) or next(iter(builder.url_infos or {}), None)
    if url is None or not url.startswith("http"):
        return
    try:
        urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=10).close()
    except urllib.error.HTTPError:
        pass  # somebody answered: let TFDS try
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise InputError(f"no network for the data set {name!r}; {instead}. Received: {reason}") from None
