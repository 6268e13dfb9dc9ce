"""The size on disk of a model in each format, measured by writing it."""

import tempfile
from pathlib import Path

from keras_bert.errors import InputError


def measure_formats(pretrained) -> tuple[dict[str, int | None], dict[str, str]]:
    """Write a model in each format to a temporary folder, and add up the sizes of the files.

    Args:
        pretrained: what `kb.load_pretrained` returns.

    Returns:
        Format to bytes, None where the model cannot be written in the format, and format to the reason.
    """
    from keras_bert.export import export_onnx, export_saved_model
    from keras_bert.models.summary import sizes_on_disk
    from keras_bert.weights import save_pretrained
    from keras_bert.weights.convert import convert

    model, vectorizer, labels = pretrained.model, pretrained.vectorizer, pretrained.labels
    interface = None if pretrained.kind in ("encoder", "classifier") else "tfhub"
    served = model if pretrained.kind in ("encoder", "classifier", "pretrainer") else pretrained.encoder
    names = labels if interface is None else None
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        writers = {
            "keras": lambda path: save_pretrained(model, path, vectorizer, labels),
            "huggingface": lambda path: convert(folder / "keras", "huggingface", path),
            "saved_model": lambda path: export_saved_model(served, path, vectorizer, names, interface),
            "onnx float32": lambda path: export_onnx(model, path, vectorizer, labels),
            "onnx int8": lambda path: export_onnx(model, path, vectorizer, labels, dtype="int8"),
        }
        sizes, reasons = {}, {}
        for name, write in writers.items():
            path = folder / name.replace(" ", "_")
            try:
                write(path)
                sizes[name] = sum(sizes_on_disk(path).values())
            except InputError as error:
                sizes[name], reasons[name] = None, str(error)
    return sizes, reasons
