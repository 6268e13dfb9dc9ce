"""The bundled sentiment classifier: one student, calibrated, as a SavedModel; and the runs of all students."""

import json
import statistics
from pathlib import Path

import ml_dtypes
import numpy as np

import keras_bert as kb
from keras_bert.data import read_table
from keras_bert.files import atomic_write
from keras_bert.inference import predict_logits
from keras_bert.metrics.calibration import calibration_error
from keras_bert.tasks.classification import softmax
from tools.small_model.finetuning import class_ids
from tools.small_model.measuring import MEASURED
from tools.small_model.texts import model_inputs, read_vocabulary

LABELS = ["negative", "positive"]


def sentiment(arguments) -> dict:
    """Calibrate one student and export it; store its calibration and its seed in measured.json."""
    folder, validation, dev = arguments.model, read_table(arguments.validation), read_table(arguments.test)
    model = kb.BertClassifier.from_pretrained(folder)
    inputs = [model_inputs(folder, table.texts, 128) for table in (validation, dev)]
    found = kb.training.calibrate(model, inputs[0], class_ids(validation))
    calibrated = predict_logits(model, inputs[1])  # [N, C]
    for weight in model.weights:  # the precision of bfloat16 halves the size in archives
        weight.assign(np.asarray(weight.numpy()).astype(ml_dtypes.bfloat16).astype(np.float32))
    rounded = predict_logits(model, inputs[1])  # [N, C]
    vectorizer = kb.BertTextVectorization(read_vocabulary(folder), sequence_length=128)
    kb.export_saved_model(model, arguments.out, vectorizer, labels=LABELS)
    labels = class_ids(dev)
    return store(
        bundled_seed=read_run(folder)["seed"],
        calibration={
            "temperature": found["temperature"],
            "validation": [found["calibration_error_before"], found["calibration_error"]],
            "dev": [error_of(calibrated * found["temperature"], labels), error_of(calibrated, labels)],
        },
        rounding={
            "largest_difference": float(np.abs(softmax(rounded) - softmax(calibrated)).max()),
            "changed_predictions": int((rounded.argmax(-1) != calibrated.argmax(-1)).sum()),
        },
    )


def students(arguments) -> dict:
    """Store the runs of students in measured.json, one per seed, with the mean of their accuracy on dev."""
    known = json.loads(MEASURED.read_text(encoding="utf-8")).get("students", {"runs": []})["runs"]
    by_seed = {run["seed"]: run for run in [*known, *map(read_run, arguments.students)]}
    runs = [by_seed[seed] for seed in sorted(by_seed)]
    accuracies = [run["dev"] for run in runs]
    deviation = statistics.stdev(accuracies) if len(runs) > 1 else None
    return store(students={"runs": runs, "mean": statistics.mean(accuracies), "standard_deviation": deviation})


def read_run(folder: Path) -> dict:
    """Return the facts that `finetune` wrote."""
    return json.loads((folder / "finetuning.json").read_text(encoding="utf-8"))


def store(**measured) -> dict:
    """Put numbers into measured.json, and return them."""
    with atomic_write(MEASURED) as draft:
        text = json.dumps(json.loads(MEASURED.read_text(encoding="utf-8")) | measured, indent=1)
        draft.write_text(text + "\n", encoding="utf-8")
    return measured


def error_of(logits: np.ndarray, labels: np.ndarray) -> float:
    """Compute the expected calibration error of logits `[N, C]`."""
    return calibration_error(softmax(logits).max(-1), logits.argmax(-1) == labels)
