"""The second half of the tour: the check, the exports, and a stranger's process that uses them."""

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
TEXTS = (
    "A tender, funny film that I will gladly see again.",
    "Two hours of my life, and not one of them was worth it.",
    "It is not the disaster they said it was.",
    "The actors do what they can; the script does not.",
)


def check_encoder(step: Step, encoder, vectorizer, source: str | None) -> dict:
    """Step 7: the trained encoder against KerasHub's BERT with the same weights, and `source` against ours."""
    inputs = parity_inputs(encoder.config, vectorizer)
    found = {"KerasHub": compare(encoder, to_keras_hub(encoder), inputs).to_dict()}
    if source:
        found["TF-Hub"] = check(source).to_dict()
    for name, parity in found.items():
        verdict = "passed" if parity["passed"] else "NOT passed"
        step.say(f"{name}: largest difference {worst(parity):.1e}, limit {parity['tolerance']:.0e}: {verdict}")
    return found


def worst(parity: dict) -> float:
    """The largest of all differences in a parity report."""
    return float(np.max([np.max(value) for value in parity["max_abs_difference"].values()]))


def export_models(step: Step, classifier, vectorizer, labels, served: Path, encoder: Path) -> dict:
    """Step 8: text in, probabilities out; and the encoder with TF-Hub's interface."""
    export_saved_model(classifier, served, vectorizer=vectorizer, labels=list(labels))
    export_saved_model(classifier.encoder, encoder, vectorizer=vectorizer, interface="tfhub")
    sizes = {}
    for folder, what in ((served, "text in, probabilities and label out"), (encoder, "TF-Hub's encoder interface")):
        sizes[folder.name] = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        step.say(f"{folder.name}/  {sizes[folder.name] / 2**20:.1f} MiB  {what}")
    return sizes


def predict_elsewhere(step: Step, classifier, vectorizer, labels, served: Path, encoder: Path) -> dict:
    """Step 9: both exports in a fresh process that has TensorFlow alone, and its numbers beside ours."""
    ids = {name: ops.convert_to_numpy(value) for name, value in vectorizer(list(TEXTS)).items()}
    request = {
        "served": str(served.resolve()),
        "encoder": str(encoder.resolve()),
        "texts": TEXTS,
        "ids": {name: value.tolist() for name, value in ids.items()},
    }
    theirs = _fresh_process(request)
    logits = predict_logits(classifier, ids)
    ours = ops.convert_to_numpy(ops.softmax(logits, axis=-1))  # [N, C]
    pooled = ops.convert_to_numpy(classifier.encoder(ids, training=False)["pooled_output"])  # [N, H]
    largest = {
        "probabilities": float(np.abs(ours - np.array(theirs["probabilities"])).max()),
        "pooled_output": float(np.abs(pooled - np.array(theirs["pooled_output"])).max()),
    }
    rows = [
        {"text": text, "label": label, "probability": max(shares), "probabilities": shares}
        for text, label, shares in zip(TEXTS, theirs["labels"], theirs["probabilities"], strict=True)
    ]
    for row in rows:
        step.say(f"{row['label']:<9} {row['probability']:.2f}  {row['text']}")
    step.say(f"largest difference from this process: {max(largest.values()):.1e}, limit {TOLERANCE:.0e}")
    return {
        "predictions": rows,
        "max_abs_difference": largest,
        "same_labels": [labels[i] for i in logits.argmax(-1)] == theirs["labels"],
        "passed": max(largest.values()) <= TOLERANCE and theirs["encoder_outputs"] == len(classifier.encoder.blocks),
        "seconds": theirs["seconds"],
        "peak_memory_mib": theirs["peak_memory_mib"],
    }


def _fresh_process(request: dict) -> dict:
    script = Path(__file__).with_name("served.py")
    environment = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", **os.environ}
    ran = subprocess.run(
        [sys.executable, "-I", str(script)], input=json.dumps(request), capture_output=True, text=True, env=environment
    )
    if ran.returncode:
        raise RuntimeError(f"the exported models do not run in a fresh process:\n{ran.stderr}")
    return json.loads(ran.stdout.splitlines()[-1])
