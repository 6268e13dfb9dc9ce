"""The page that shows what a tour did: one file, pictures inside, nothing fetched."""

import time
from pathlib import Path

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from keras import ops

from keras_bert.explain.attention import attention_maps
from keras_bert.explain.figure import Figure
from keras_bert.explain.plots import attention_map, confusion_matrix, learning_curves, parity_per_layer
from keras_bert.inference import predict_logits
from keras_bert.tour.machine import peak_memory_mib
from keras_bert.tour.serving import worst

MISTAKES = 4


def write_report(path: Path, facts: dict, data, classifier, vectorizer, steps, begun: float) -> None:
    """Draw the pictures and fill the page.

    Args:
        path: the file to write.
        facts: what `run_tour` found, up to here.
        data: the `LabeledDataset`.
        classifier: the fine-tuned `BertClassifier`.
        vectorizer: its `BertTextVectorization`.
        steps: the `Steps` so far, for their seconds.
        begun: `time.perf_counter()` at the tour's beginning.
    """
    logits = predict_logits(classifier, vectorizer(data.dev_texts))
    page = Environment(
        loader=PackageLoader("keras_bert.tour", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    ).get_template("report.html")
    filled = page.render(
        facts=facts,
        pictures=_pictures(facts, data, classifier, vectorizer, logits.argmax(-1)),
        parity=_parity_rows(facts["check"]),
        worst={name: worst(parity) for name, parity in facts["check"].items()},
        mistakes=_mistakes(data, logits),
        seconds={**steps.seconds, "total": time.perf_counter() - begun},
        memory=peak_memory_mib(),
    )
    path.write_text(filled, encoding="utf-8")


def _pictures(facts: dict, data, classifier, vectorizer, said) -> dict[str, Figure]:
    pretraining, finetuning = facts["pretraining"]["history"], facts["finetuning"]["history"]
    both = {"training": "mlm_loss", "held out": "val_mlm_loss"}
    tasks = {"masked words": "val_mlm_accuracy", "next sentences": "val_nsp_accuracy"}
    differences = {name: parity["max_abs_difference"]["encoder_outputs"] for name, parity in facts["check"].items()}
    return {
        "masked words": learning_curves(
            {name: pretraining[key] for name, key in both.items()},
            "loss at masked words",
            "step",
            at=pretraining["step"],
        ),
        "both tasks": learning_curves(
            {name: pretraining[key] for name, key in tasks.items()}, "held-out accuracy", "step", at=pretraining["step"]
        ),
        "fine-tuning": learning_curves(
            {"training": finetuning["accuracy"], "held out": finetuning["val_accuracy"]}, "accuracy", "epoch"
        ),
        "confusion": confusion_matrix(data.dev_labels, said, list(data.label_names)),
        "attention": _attention(data, classifier, vectorizer),
        "parity": parity_per_layer(differences),
    }


def _attention(data, classifier, vectorizer) -> Figure:
    """The head that looks most from word to word, on a short sentence of dev."""
    inputs = {name: ops.convert_to_numpy(value) for name, value in vectorizer(data.dev_texts).items()}
    lengths = inputs["input_mask"].sum(-1)  # [N]
    row = int(np.abs(lengths - 12).argmin())  # about twelve tokens can still be read on a telephone
    inputs = {name: value[row : row + 1, : lengths[row]] for name, value in inputs.items()}
    maps = np.concatenate(attention_maps(classifier.encoder, inputs))  # [L, A, T, T]
    words = maps[:, :, 1:-1, 1:-1]  # between [CLS] and [SEP]
    elsewhere = words.sum((2, 3)) - np.trace(words, axis1=2, axis2=3)  # [L, A], a token's look at itself left out
    layer, head = np.unravel_index(elsewhere.argmax(), elsewhere.shape)
    tokens = [vectorizer.id_to_token(int(i)) for i in inputs["input_word_ids"][0]]
    return attention_map(maps[layer, head], tokens, f"layer {layer + 1}, head {head + 1}")


def _parity_rows(check: dict) -> list[tuple]:
    """`(output, {reference: (largest, mean)})`: both outputs, then every layer."""
    rows = {}
    for name, parity in check.items():
        for output, largest in parity["max_abs_difference"].items():
            mean = parity["mean_abs_difference"][output]
            if isinstance(largest, list):
                for i, pair in enumerate(zip(largest, mean, strict=True), 1):
                    rows.setdefault(f"layer {i}", {})[name] = pair
            else:
                rows.setdefault(output, {})[name] = (largest, mean)
    return list(rows.items())


def _mistakes(data, logits) -> list[dict]:
    """The sentences of dev.tsv that the model is most sure about and wrong."""
    shares = ops.convert_to_numpy(ops.softmax(logits, axis=-1))
    said = logits.argmax(-1)
    wrong = np.flatnonzero(said != data.dev_labels)
    surest = wrong[np.argsort(-shares[wrong, said[wrong]], kind="stable")][:MISTAKES]
    return [
        {
            "text": data.dev_texts[i],
            "said": data.label_names[said[i]],
            "probability": float(shares[i, said[i]]),
            "truth": data.label_names[data.dev_labels[i]],
        }
        for i in surest
    ]
