"""Numerical comparison with other implementations in every format, at the published sizes.

    python -m experiments.parity        # ten minutes and 5 GiB of memory; writes docs/parity.md

Each model gets random weights, also for biases and layer normalizations. It is written in a format, read back
(`convert` raises an error unless all bytes are equal), and checked: the library of the format, where there is one,
computes all layers on real and random rows. Checkpoints of google-research are also read by google-research's original
code. The heads, and files that other libraries wrote, are compared in tests/weights.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import keras_bert as kb
from keras_bert.catalog import list_published
from keras_bert.errors import InputError
from keras_bert.parity import check
from keras_bert.weights import to_keras_hub

ROOT = Path(__file__).resolve().parent.parent
TOLERANCE = 5e-5
PAGE, ORIGINAL = ROOT / "docs" / "parity.md", ROOT / "tests" / "weights" / "formats" / "original" / "compute.py"
MODELS = ("bert_en_uncased_L-12_H-768_A-12", "distilbert-base-uncased", "albert-base-v2")
FORMATS = {
    "tfhub": "TF-Hub",
    "huggingface": "Hugging Face",
    "google_research": "google-research",
    "keras_hub": "KerasHub",
}
HEADER = [
    "# Parity with other implementations",
    "",
    "Written by `python -m experiments.parity`. Models of the published sizes get random weights. They are written in",
    "each format, read back to the same bytes, and compared with the reference implementation, on real and random rows",
    f"with padding. The tolerance is {TOLERANCE:.0e}.",
    "",
    "| model | format | parameters | on disk | reference implementation | layers, largest difference | pooled output |",
    "|---|---|---|---|---|---|---|",
]


def random_encoder(config: kb.BertConfig) -> kb.BertEncoder:
    """Create an encoder with random weights, as large as trained ones; none has its initial value of 0 or 1."""
    encoder, rng = kb.BertEncoder(config), np.random.default_rng(0)
    for weight in encoder.weights:
        spread = 0.05 if len(weight.shape) > 1 else 0.1
        weight.assign(rng.normal(float(weight.name == "gamma"), spread, weight.shape).astype("float32"))
    return encoder


def compare_formats(name: str, folder: Path) -> tuple[list[str], list[str]]:
    """Compare a model in each format that can store it.

    Args:
        name: name of a published model.
        folder: folder for the files.

    Returns:
        The rows of the table, and those of them that exceed the tolerance.
    """
    config = next(model.config for model in list_published() if model.name == name)
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(config.vocab_size - 5))]
    vectorizer = kb.BertTextVectorization(tokens, sequence_length=64)
    source = kb.save_pretrained(random_encoder(config), folder / "source", vectorizer)
    rows, exceeding = [], []
    for format_name, title in FORMATS.items():
        out = folder / format_name
        try:
            if format_name == "keras_hub":
                to_keras_hub(kb.load_pretrained(source).encoder).save_to_preset(out)
            else:
                kb.convert(source, format_name, out)
        except InputError as error:
            print(f"{name} cannot be written as {format_name}: {error}")
            continue
        report = check(out)
        size = sum(file.stat().st_size for file in out.rglob("*")) / 2**20
        difference = report.parity.to_dict()["max_abs_difference"]
        difference["layers"] = max([difference["sequence_output"], *difference.get("encoder_outputs", ())])
        differences = {report.reference: difference}
        if format_name == "google_research":
            encoder = kb.load_pretrained(source).encoder
            differences["google-research's original code"] = compare_with_original(out, encoder)
        for reference, difference in differences.items():
            pooled = difference.get("pooled_output")
            rows.append(
                f"| {name} | {title} | {report.parity.to_dict()['parameters']:,} | {size:,.0f} MiB | {reference} "
                f"| {difference['layers']:.1e} | {'-' if pooled is None else f'{pooled:.1e}'} |"
            )
            print(rows[-1], flush=True)
            measured = [each for each in (difference["layers"], pooled) if each is not None]
            if not all(each <= TOLERANCE for each in measured):  # also true for NaN
                exceeding.append(rows[-1])
    return rows, exceeding


def compare_with_original(folder: Path, encoder: kb.BertEncoder) -> dict[str, float]:
    """Run google-research's original code on a checkpoint.

    Args:
        folder: folder of the checkpoint.
        encoder: an encoder with the same weights.

    Returns:
        The largest differences of the layers and of `pooled_output`.
    """
    rng = np.random.default_rng(1)
    lengths = np.array([64, 40, 17, 5])
    ids = rng.integers(1, encoder.config.vocab_size, (4, 64)) * (np.arange(64) < lengths[:, None])  # [B, T]
    types = (np.arange(64) >= lengths[:, None] // 2) * (ids > 0)  # [B, T]
    np.savez(folder / "rows.npz", ids=ids.astype("int32"), types=types.astype("int32"))
    model = "albert" if encoder.config.share_blocks else "bert"
    subprocess.run([sys.executable, ORIGINAL, model, "encoder", "read", folder], check=True)
    outputs = encoder({"input_word_ids": ids, "input_mask": ids > 0, "input_type_ids": types})
    tokens = ids > 0  # outputs at padding are undefined
    with np.load(folder / "outputs.npz") as expected:
        difference = {name: np.abs(np.asarray(outputs[name]) - expected[name]) for name in expected}
    layers = max(value[tokens].max() for name, value in difference.items() if name != "pooled_output")
    return {"layers": layers, "pooled_output": difference["pooled_output"].max()}


def main() -> None:
    """Compare all models, and write the page unless a difference exceeds the tolerance."""
    lines, exceeding = list(HEADER), []
    for name in MODELS:
        with tempfile.TemporaryDirectory() as folder:
            rows, larger = compare_formats(name, Path(folder))
        lines += rows
        exceeding += larger
    if exceeding:
        sys.exit("\n".join([f"Differences exceed {TOLERANCE:.0e}; {PAGE.name} was not changed:", *exceeding]))
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
