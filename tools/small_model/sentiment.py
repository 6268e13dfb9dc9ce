"""The bundled sentiment classifier: the best student by validation sentences, calibrated, as one SavedModel."""

import json
import statistics

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
    """Calibrate the student with the highest validation accuracy, and export it; store the runs in measured.json."""
    runs = [json.loads((folder / "finetuning.json").read_text(encoding="utf-8")) for folder in arguments.students]
    best = max(range(len(runs)), key=lambda i: max(runs[i]["validation"]))
    folder, validation, dev = arguments.students[best], read_table(arguments.validation), read_table(arguments.test)
    model = kb.BertClassifier.from_pretrained(folder)
    inputs = [model_inputs(folder, table.texts, 128) for table in (validation, dev)]
    found = kb.training.calibrate(model, inputs[0], class_ids(validation))
    calibrated = predict_logits(model, inputs[1])  # [N, C]
    for weight in model.weights:  # the precision of bfloat16 halves the size in archives
        weight.assign(np.asarray(weight.numpy()).astype(ml_dtypes.bfloat16).astype(np.float32))
    rounded = predict_logits(model, inputs[1])  # [N, C]
    vectorizer = kb.BertTextVectorization(read_vocabulary(folder), sequence_length=128)
    kb.export_saved_model(model, arguments.out, vectorizer, labels=LABELS)
    accuracies = [each["dev"] for each in runs]
    labels = class_ids(dev)
    measured = {
        "students": {
            "runs": runs,
            "mean": statistics.mean(accuracies),
            "standard_deviation": statistics.stdev(accuracies) if len(accuracies) > 1 else None,
            "bundled_seed": runs[best]["seed"],
        },
        "calibration": {
            "temperature": found["temperature"],
            "validation": [found["calibration_error_before"], found["calibration_error"]],
            "dev": [error_of(calibrated * found["temperature"], labels), error_of(calibrated, labels)],
        },
        "rounding": {
            "largest_difference": float(np.abs(softmax(rounded) - softmax(calibrated)).max()),
            "changed_predictions": int((rounded.argmax(-1) != calibrated.argmax(-1)).sum()),
        },
    }
    with atomic_write(MEASURED) as draft:
        text = json.dumps(json.loads(MEASURED.read_text(encoding="utf-8")) | measured, indent=1)
        draft.write_text(text + "\n", encoding="utf-8")
    return measured


def error_of(logits: np.ndarray, labels: np.ndarray) -> float:
    """Compute the expected calibration error of logits `[N, C]`."""
    return calibration_error(softmax(logits).max(-1), logits.argmax(-1) == labels)
