"""Every direction in which weights come and go, at the published sizes: who computed the other side, and how far off.

    python -m experiments.parity        # ten minutes and 5 GiB; writes docs/parity.md

Each model gets random weights, biases and norms too, is written in a format, read back (to the same bytes, or
`convert` says no), and checked: the format's own library, where there is one, computes all layers of real and random
rows beside ours; google-research's own code reads its checkpoints. The heads, and files that other libraries wrote, are
compared in tests/weights.
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
from keras_bert.weights import convert, to_keras_hub

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 5e-5
PAGE, ORIGINAL = ROOT / "docs" / "parity.md", ROOT / "tests" / "weights" / "formats" / "original" / "compute.py"
MODELS = ("bert_en_uncased_L-12_H-768_A-12", "distilbert-base-uncased", "albert-base-v2")
FORMATS = {
    "tfhub": "TF-Hub's interface",
    "huggingface": "Hugging Face",
    "google_research": "google-research's checkpoint",
    "keras_hub": "KerasHub's preset",
}


def randomised(config: kb.BertConfig) -> kb.BertEncoder:
    """An encoder in which nothing is 0 or 1 by default, kernels of about the size that trained ones have."""
    encoder, draw = kb.BertEncoder(config), np.random.default_rng(0)
    for weight in encoder.weights:
        spread = 0.05 if len(weight.shape) > 1 else 0.1
        weight.assign(draw.normal(float(weight.name == "gamma"), spread, weight.shape).astype("float32"))
    return encoder


def rows(name: str, place: Path, beyond: list[str]) -> list[str]:
    """A row of the table for each format that has such a model; those that differ by too much are put in `beyond`."""
    config = next(model.config for model in list_published() if model.name == name)
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(config.vocab_size - 5))]
    ours = kb.save_pretrained(randomised(config), place / "ours", kb.BertTextVectorization(tokens, sequence_length=64))
    lines = []
    for format_name, shown in FORMATS.items():
        out = place / format_name
        try:
            if format_name == "keras_hub":
                to_keras_hub(kb.load_pretrained(ours).encoder).save_to_preset(out)
            else:
                convert(ours, format_name, out)
        except InputError as error:
            print(f"{name}: {format_name} has no such model: {error}")
            continue
        found = check(out)
        size = sum(file.stat().st_size for file in out.rglob("*")) / 2**20
        apart = found.parity.to_dict()["max_abs_difference"]
        apart["layers"] = max([apart["sequence_output"], *apart.get("encoder_outputs", ())])
        computed = {found.reference: apart}
        if format_name == "google_research":
            computed["google-research's own code"] = by_the_original(out, kb.load_pretrained(ours).encoder)
        for who, apart in computed.items():
            pooled = f"{apart['pooled_output']:.1e}" if apart.get("pooled_output") is not None else "-"
            lines.append(
                f"| {name} | {shown} | {found.parity.to_dict()['parameters']:,} | {size:,.0f} MiB | {who} "
                f"| {apart['layers']:.1e} | {pooled} |"
            )
            print(lines[-1], flush=True)
            measured = [apart["layers"], apart.get("pooled_output")]
            if not all(each <= LIMIT for each in measured if each is not None):  # not a number is beyond, too
                beyond.append(lines[-1])
    return lines


def by_the_original(folder: Path, encoder: kb.BertEncoder) -> dict[str, float]:
    """The largest differences from what google-research's code says of a checkpoint, in layers and pooled."""
    draw = np.random.default_rng(1)
    lengths = np.array([64, 40, 17, 5])
    ids = draw.integers(1, encoder.config.vocab_size, (4, 64)) * (np.arange(64) < lengths[:, None])  # [B, T]
    types = (np.arange(64) >= lengths[:, None] // 2) * (ids > 0)
    np.savez(folder / "rows.npz", ids=ids.astype("int32"), types=types.astype("int32"))
    which = "albert" if encoder.config.share_blocks else "bert"
    subprocess.run([sys.executable, ORIGINAL, which, "encoder", "read", folder], check=True)
    ours = encoder({"input_word_ids": ids, "input_mask": ids > 0, "input_type_ids": types})
    real = ids > 0  # what stands at padding is of no meaning
    with np.load(folder / "outputs.npz") as theirs:
        apart = {name: np.abs(np.asarray(ours[name]) - theirs[name]) for name in theirs}
    layers = max(value[real].max() for name, value in apart.items() if name != "pooled_output")
    return {"layers": layers, "pooled_output": apart["pooled_output"].max()}


def main() -> None:
    lines = [
        "# Weights in and out",
        "",
        "Written by `python -m experiments.parity`: random weights at the published sizes, written in each",
        "format, read",
        "back to the same bytes, and computed by another library beside ours. The largest difference allowed is 5e-5.",
        "",
        "| model | format | parameters | on disk | computed by | layers, largest difference | pooled |",
        "|---|---|---|---|---|---|---|",
    ]
    beyond: list[str] = []
    for name in MODELS:
        with tempfile.TemporaryDirectory() as folder:
            lines += rows(name, Path(folder), beyond)
    if beyond:
        sys.exit("\n".join([f"Larger than {LIMIT:.0e}; {PAGE.name} is as it was:", *beyond]))
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
