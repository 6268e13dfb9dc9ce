"""Steps 7 to 9 of the tour: parity check, export, and a test of the exports in a process without this package."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from keras import ops

from keras_bert.export import export_saved_model
from keras_bert.inference import predict_logits
from keras_bert.parity import check, compare, parity_inputs
from keras_bert.tour.steps import Step
from keras_bert.weights import to_keras_hub

TOLERANCE = 5e-5
REVIEWS = {  # text: the expected label, a class of the sample
    "A tender, funny film that I will gladly see again.": "positive",
    "Two hours of my life, and not one of them was worth it.": "negative",
    "It is not the disaster they said it was.": "positive",
    "The actors do what they can; the script does not.": "negative",
}


def check_encoder(step: Step, encoder, vectorizer, source: str | None) -> dict:
    """Step 7: compare the trained encoder with KerasHub's BERT, and `source` with an encoder that has its weights."""
    inputs = parity_inputs(encoder.config, vectorizer)
    reports = {"KerasHub": compare(encoder, to_keras_hub(encoder), inputs).to_dict()}
    if source:
        reports["TF-Hub"] = check(source).to_dict()
    for name, report in reports.items():
        verdict = "passed" if report["passed"] else "NOT passed"
        step.add_line(
            f"{name}: largest difference {largest_difference(report):.1e}, tolerance {report['tolerance']:.0e}: "
            f"{verdict}"
        )
    return reports


def largest_difference(report: dict) -> float:
    """Return the largest of all differences of a parity report."""
    return float(np.max([np.max(value) for value in report["max_abs_difference"].values()]))


def export_models(step: Step, classifier, vectorizer, labels, served: Path, encoder: Path) -> dict:
    """Step 8: export the classifier (text in, probabilities out) and the encoder with TF-Hub's interface."""
    export_saved_model(classifier, served, vectorizer=vectorizer, labels=list(labels))
    export_saved_model(classifier.encoder, encoder, vectorizer=vectorizer, interface="tfhub")
    sizes = {}
    for folder, content in ((served, "text in, probabilities and label out"), (encoder, "TF-Hub's encoder interface")):
        sizes[folder.name] = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        step.add_line(f"{folder.name}/  {sizes[folder.name] / 2**20:.1f} MiB  {content}")
    return sizes


def predict_in_clean_process(step: Step, classifier, vectorizer, labels, served: Path, encoder: Path) -> dict:
    """Step 9: run both exports in a new process with TensorFlow only, and compare their outputs with the models."""
    texts = list(REVIEWS)
    ids = {name: ops.convert_to_numpy(value) for name, value in vectorizer(texts).items()}
    exported = _run_clean_process(
        {
            "classifier": str(served.resolve()),
            "encoder": str(encoder.resolve()),
            "texts": texts,
            "ids": {name: value.tolist() for name, value in ids.items()},
        }
    )
    logits = predict_logits(classifier, ids)
    probabilities = ops.convert_to_numpy(ops.softmax(logits, axis=-1))  # [N, C]
    pooled = ops.convert_to_numpy(classifier.encoder(ids, training=False)["pooled_output"])  # [N, H]
    differences = {
        "probabilities": float(np.abs(probabilities - np.array(exported["probabilities"])).max()),
        "pooled_output": float(np.abs(pooled - np.array(exported["pooled_output"])).max()),
    }
    rows = [
        {
            "text": text,
            "label": label,
            "expected": REVIEWS[text] if REVIEWS[text] in labels else None,  # None for other classes
            "probability": max(row),
            "probabilities": row,
        }
        for text, label, row in zip(texts, exported["labels"], exported["probabilities"], strict=True)
    ]
    for row in rows:
        mark = "" if row["expected"] in (None, row["label"]) else "  (wrong)"
        step.add_line(f"{row['label']:<9} {row['probability']:.2f}  {row['text']}{mark}")
    largest = max(differences.values())
    step.add_line(f"largest difference from this process: {largest:.1e}, tolerance {TOLERANCE:.0e}")
    return {
        "predictions": rows,
        "max_abs_difference": differences,
        "same_labels": [labels[i] for i in logits.argmax(-1)] == exported["labels"],
        "passed": largest <= TOLERANCE and exported["encoder_outputs"] == len(classifier.encoder.blocks),
        "seconds": exported["seconds"],
        "peak_memory_mib": exported["peak_memory_mib"],
    }


def _run_clean_process(request: dict) -> dict:
    """Run `clean_process.py` on a request and return its results."""
    script = Path(__file__).with_name("clean_process.py")
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", **os.environ}
    result = subprocess.run(
        [sys.executable, "-I", str(script)],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment,
    )
    if result.returncode:
        raise RuntimeError(f"The exported models failed in a process without this package:\n{result.stderr}")
    return json.loads(result.stdout.splitlines()[-1])
