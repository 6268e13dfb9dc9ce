"""Run the exported models in a process with TensorFlow and without this package.

`python -I clean_process.py` reads a request (JSON) from standard input and prints its results (JSON) as the last line.
This file must not import keras_bert.
"""

import json
import sys
import time


def forbid(*packages: str) -> None:
    """Make every later import of these packages raise an ImportError."""
    for package in packages:
        sys.modules[package] = None


def peak_memory_mib() -> float | None:
    """Return the peak memory of this process in MiB, or None on Windows."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)  # bytes on macOS, KiB elsewhere


def main() -> None:
    """Load both models, run them, and print outputs, times and memory."""
    forbid("keras_bert", "keras_hub", "tensorflow_text")
    request = json.load(sys.stdin)
    start = time.perf_counter()
    import tensorflow as tf

    imported = time.perf_counter()
    classifier = tf.saved_model.load(request["classifier"]).signatures["serving_default"]
    encoder = tf.saved_model.load(request["encoder"])
    loaded = time.perf_counter()
    served = classifier(text=tf.constant(request["texts"]))
    outputs = encoder({name: tf.constant(ids, tf.int32) for name, ids in request["ids"].items()})
    end = time.perf_counter()
    print(
        json.dumps(
            {
                "probabilities": served["probabilities"].numpy().tolist(),
                "labels": [label.decode() for label in served["label"].numpy()],
                "pooled_output": outputs["pooled_output"].numpy().tolist(),
                "encoder_outputs": len(outputs["encoder_outputs"]),
                "seconds": {"import": imported - start, "load": loaded - imported, "predict": end - loaded},
                "peak_memory_mib": peak_memory_mib(),
            }
        )
    )


if __name__ == "__main__":
    main()
