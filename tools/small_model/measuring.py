"""The cards of `bert_en_uncased_small` and of `sst2_sentiment`, from measurements of the bundled models."""

import io
import json
import lzma
import shlex
import tarfile
from pathlib import Path

import jinja2

from keras_bert.data import read_table
from keras_bert.files import atomic_write
from keras_bert.text.vocabulary import load_vocabulary
from tools.build_saved_models import DATA, EXAMPLES, SAVED_MODELS, run
from tools.small_model.texts import make_tokenizer, token_lists

HERE = Path(__file__).resolve().parent
MODEL, SENTIMENT = SAVED_MODELS / "bert_en_uncased_small", SAVED_MODELS / "sst2_sentiment"
MEASURED = HERE / "measured.json"
EVALUATE = f"keras-bert evaluate --data {DATA}/data/SST-2/dev.tsv --json"


def measure(arguments) -> dict:
    """Measure the bundled encoder and classifier, store the numbers in measured.json, and write their cards."""
    data = arguments.data
    masked = EXAMPLES["masked_tokens"]
    texts = " ".join(map(shlex.quote, masked + EXAMPLES["stereotypes"]))
    checked, _ = run(f"keras-bert check {MODEL} --json", data)
    filled, _ = run(f"keras-bert fill-mask --model {MODEL} --top-k 3 --json {texts}", data)
    embedded, _ = run(f"keras-bert embed --model {MODEL} --json {shlex.quote(EXAMPLES['sample'])}", data)
    tokens = [
        {"text": row["text"], "predicted": [each["token"] for each in row["masks"][0]["predictions"]]}
        for row in filled["texts"]
    ]
    difference = checked["max_abs_difference"]
    measured = (
        {"teacher_answers": {}}
        | json.loads(MEASURED.read_text(encoding="utf-8"))
        | {
            "parameters": checked["parameters"],
            "vocab_size": len(load_vocabulary(MODEL / "assets" / "vocab.txt")),
            "check": {
                "passed": checked["passed"],
                "largest_difference": max(difference["pooled_output"], *difference["encoder_outputs"]),
            },
            "masked_tokens": tokens[: len(masked)],
            "stereotypes": tokens[len(masked) :],
            "sample": {"text": EXAMPLES["sample"], "vector": embedded["embeddings"][0]},
            "megabytes": megabytes(MODEL),
            "pieces": pieces(Path(data) / "data", arguments.model),
            "bundled": {"command": EVALUATE, **run(EVALUATE, data)[0], "megabytes": megabytes(SENTIMENT)},
            "clear": predict(EXAMPLES["clear"], data),
            "probes": predict(EXAMPLES["probes"], data),
            "neutral": predict(EXAMPLES["neutral"], data),
        }
    )
    with atomic_write(MEASURED) as draft:
        draft.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    for folder in (MODEL, SENTIMENT):
        write_card(measured, folder)
    return {"passed": checked["passed"]}


def predict(texts: dict[str, str] | list[str], data: str) -> list[dict]:
    """Predict texts with the bundled classifier.

    Args:
        texts: the texts, or the expected label by text.
        data: the folder named by `KERAS_BERT_DATA`.

    Returns:
        A dict per text: `text`, `expected` if given, `predicted`, `probability`, `probabilities`.
    """
    found, _ = run(f"keras-bert predict --json {' '.join(map(shlex.quote, texts))}", data)
    return [
        {
            "text": row["text"],
            **({"expected": texts[row["text"]]} if isinstance(texts, dict) else {}),
            "predicted": row["label"],
            "probability": row["probability"],
            "probabilities": row["probabilities"],
        }
        for row in found["predictions"]
    ]


def megabytes(folder: Path) -> dict[str, float]:
    """Return the size of a model's files, without its card, as they are and in a compressed archive."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "README.md")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for path in files:
            tar.add(path, path.relative_to(folder))
    sizes = {"unpacked": sum(path.stat().st_size for path in files), "compressed": archive.tell()}
    return {name: round(size / 1e6, 1) for name, size in sizes.items()}


def pieces(data: Path, teacher: Path) -> list[dict]:
    """Count the pieces of texts in the teacher's vocabulary and in the trimmed one."""
    with lzma.open(data / "corpus" / "wikipedia.txt.xz", "rt", encoding="utf-8") as file:
        wikipedia = [line for line, _ in zip(file, range(20_000), strict=False) if line.strip()]
    found = []
    for name, texts in (("SST-2 dev", read_table(data / "SST-2" / "dev.tsv").texts), ("Wikipedia", wikipedia)):
        both = [list(token_lists(make_tokenizer(folder), texts)) for folder in (teacher, MODEL / "assets")]
        full, trimmed = (sum(map(len, rows)) for rows in both)
        equal = sum(len(a) == len(b) for a, b in zip(*both, strict=True)) / len(texts)
        found.append({"texts": name, "full": full, "trimmed": trimmed, "unchanged": equal})
    return found


def write_card(measured: dict, folder: Path) -> None:
    """Write the README.md of a model into its folder, from the template of the same name."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    card = environment.get_template(f"{folder.name}.md.jinja").render(**measured)
    (folder / "README.md").write_text(card.rstrip() + "\n", encoding="utf-8")
