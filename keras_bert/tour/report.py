"""Write the report page: one HTML file that contains its figures and loads no other file."""

import time
from pathlib import Path

import numpy as np
from keras import ops

from keras_bert.explain import attention_maps
from keras_bert.explain.figures.figure import Figure
from keras_bert.explain.figures.plots import attention_map, confusion_matrix, learning_curves, parity_per_layer
from keras_bert.explain.pages.render import render
from keras_bert.inference import predict_logits
from keras_bert.system import peak_memory_mib
from keras_bert.tour.serving import largest_difference

MISTAKES = 4  # wrong predictions to show


def write_report(path: Path, facts: dict, data, classifier, vectorizer, steps, start: float) -> None:
    """Draw the figures and fill the page template.

    Args:
        path: the file to write.
        facts: what `run_tour` measured so far.
        data: the `LabeledDataset`.
        classifier: the fine-tuned `BertClassifier`.
        vectorizer: its `BertTextVectorization`.
        steps: the `Steps` so far, for their durations.
        start: `time.perf_counter()` at the beginning of the tour.
    """
    logits = predict_logits(classifier, vectorizer(data.dev_texts))  # [N, C]
    html = render(
        "report.html",
        "keras_bert.tour",
        facts=facts,
        figures=_figures(facts, data, classifier, vectorizer, logits.argmax(-1)),
        accuracies=_accuracies(facts),
        parity=_parity_rows(facts["check"]),
        largest={name: largest_difference(report) for name, report in facts["check"].items()},
        mistakes=_mistakes(data, logits),
        seconds={**steps.seconds, "total": time.perf_counter() - start},
        memory=peak_memory_mib(),
    )
    path.write_text(html, encoding="utf-8")


def _figures(facts: dict, data, classifier, vectorizer, predicted) -> dict[str, Figure]:
    """Draw all figures, by the names that the template uses."""
    pretraining, finetuning = facts["pretraining"]["history"], facts["finetuning"]["history"]
    losses = {"training": "mlm_loss", "validation": "val_mlm_loss"}
    tasks = {"masked LM": "val_mlm_accuracy", "next sentence": "val_nsp_accuracy"}
    differences = {name: report["max_abs_difference"]["encoder_outputs"] for name, report in facts["check"].items()}
    return {
        "masked LM": learning_curves(
            {name: pretraining[key] for name, key in losses.items()}, "masked-LM loss", "step", at=pretraining["step"]
        ),
        "both tasks": learning_curves(
            {name: pretraining[key] for name, key in tasks.items()},
            "validation accuracy",
            "step",
            at=pretraining["step"],
        ),
        "fine-tuning": learning_curves(
            {"training": finetuning["accuracy"], "validation": finetuning["val_accuracy"]}, "accuracy", "epoch"
        ),
        "confusion": confusion_matrix(data.dev_labels, predicted, list(data.label_names)),
        "attention": _attention(data, classifier, vectorizer),
        "parity": parity_per_layer(differences),
    }


def _accuracies(facts: dict) -> list[dict]:
    """List the dev accuracy of every model and baseline; `best` marks the highest."""
    accuracies = {
        "most frequent class": facts["evaluation"]["majority"],
        "TF-IDF with logistic regression": facts["evaluation"]["tfidf"],
        "this run's BERT, pretrained on the sample": facts["evaluation"]["accuracy"],
    }
    if facts["bundled"]:
        accuracies[f"{facts['bundled']['name']}, fine-tuned"] = facts["bundled"]["evaluation"]["accuracy"]
    best = max(accuracies.values())
    return [{"name": name, "accuracy": value, "best": value == best} for name, value in accuracies.items()]


def _attention(data, classifier, vectorizer) -> Figure:
    """Draw the head with the most attention between different words, on a short sentence of dev."""
    inputs = {name: ops.convert_to_numpy(value) for name, value in vectorizer(data.dev_texts).items()}
    lengths = inputs["input_mask"].sum(-1)  # [N]
    row = int(np.abs(lengths - 12).argmin())  # about twelve tokens are readable on a phone
    inputs = {name: value[row : row + 1, : lengths[row]] for name, value in inputs.items()}  # [1, T]
    maps = np.concatenate(attention_maps(classifier.encoder, inputs))  # [L, A, T, T]
    words = maps[:, :, 1:-1, 1:-1]  # between [CLS] and [SEP]
    between_words = words.sum((2, 3)) - np.trace(words, axis1=2, axis2=3)  # [L, A], without the diagonal
    layer, head = np.unravel_index(between_words.argmax(), between_words.shape)
    tokens = [vectorizer.id_to_token(int(i)) for i in inputs["input_word_ids"][0]]
    return attention_map(maps[layer, head], tokens, f"layer {layer + 1}, head {head + 1}")


def _parity_rows(check: dict) -> list[tuple]:
    """Return `(output, {reference: (largest, mean)})` for both outputs, then for every layer."""
    rows = {}
    for name, report in check.items():
        for output, largest in report["max_abs_difference"].items():
            mean = report["mean_abs_difference"][output]
            if isinstance(largest, list):
                for i, pair in enumerate(zip(largest, mean, strict=True), 1):
                    rows.setdefault(f"layer {i}", {})[name] = pair
            else:
                rows.setdefault(output, {})[name] = (largest, mean)
    return list(rows.items())


def _mistakes(data, logits) -> list[dict]:
    """Return the wrong dev predictions with the highest probability."""
    probabilities = ops.convert_to_numpy(ops.softmax(logits, axis=-1))  # [N, C]
    predicted = logits.argmax(-1)  # [N]
    wrong = np.flatnonzero(predicted != data.dev_labels)
    order = np.argsort(-probabilities[wrong, predicted[wrong]], kind="stable")
    return [
        {
            "text": data.dev_texts[i],
            "predicted": data.label_names[predicted[i]],
            "probability": float(probabilities[i, predicted[i]]),
            "expected": data.label_names[data.dev_labels[i]],
        }
        for i in wrong[order][:MISTAKES]
    ]
