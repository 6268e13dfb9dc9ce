"""The exported models as a stranger uses them: this file runs alone, with TensorFlow and nothing of ours.

`python -I served.py` reads a request, JSON, on standard input and answers with JSON as the last line of its output.
"""

import json
import resource
import sys
import time


def forbid(*packages: str) -> None:
    """From now on whoever imports one of these packages gets an ImportError."""
    for package in packages:
        sys.modules[package] = None


def main() -> None:
    """Load both models, run them, and say what came out and what it took."""
    forbid("keras_bert", "keras_hub", "tensorflow_text")
    request = json.load(sys.stdin)
    begun = time.perf_counter()
    import tensorflow as tf

    imported = time.perf_counter()
    served = tf.saved_model.load(request["served"]).signatures["serving_default"]
    encoder = tf.saved_model.load(request["encoder"])
    loaded = time.perf_counter()
    answer = served(text=tf.constant(request["texts"]))
    inputs = {name: tf.constant(ids, tf.int32) for name, ids in request["ids"].items()}
    outputs = encoder(inputs)
    done = time.perf_counter()
    print(
        json.dumps(
            {
                "probabilities": answer["probabilities"].numpy().tolist(),
                "labels": [label.decode() for label in answer["label"].numpy()],
                "pooled_output": outputs["pooled_output"].numpy().tolist(),
                "encoder_outputs": len(outputs["encoder_outputs"]),
                "seconds": {"import": imported - begun, "load": loaded - imported, "predict": done - loaded},
                "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
