"""The program of one process of `experiments.processes`: pretrain and fine-tune a small model, and print the losses.

    python -m experiments.process_program --processes 2 --process 0 --port 12345 & \\
    python -m experiments.process_program --processes 2 --process 1 --port 12345
"""

import argparse
import json
import os
import signal
import sys

BATCH_SIZES = (8, 7)  # 2 and 4 devices divide the first, not the second
STEPS, ROWS, LENGTH, VOCABULARY_SIZE = 6, 37, 16, 60
FIRST_WORD = 5  # after the special tokens
SETTINGS = {"learning_rate": 1e-2, "verbose": 0}


def main() -> None:
    """Train, and print the histories as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--process", type=int, default=0, help="its number, from 0")
    parser.add_argument("--port", type=int, help="a free port of process 0")
    parser.add_argument("--devices", type=int, default=1, help="virtual devices of each process")
    parser.add_argument("--model-axis", type=int, default=1, help="devices that divide the weights")
    parser.add_argument("--batch-sizes", type=int, nargs="*", default=BATCH_SIZES, help="of `pretrain`")
    parser.add_argument("--finetune", action="store_true", help="fine-tune too")
    parser.add_argument("--checkpoints", help="folder for the checkpoints of `pretrain`")
    parser.add_argument("--signal-at", type=int, help="step after which the last process gets a signal")
    parser.add_argument("--signal", default="SIGKILL", help="its name")
    options = parser.parse_args()
    os.environ["KERAS_BACKEND"] = "jax"
    sys.modules["tensorflow"] = None  # Keras would import it to set its seed, which takes longer than the training
    os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={options.devices}"
    distribute(options)
    print(json.dumps(train(options)), flush=True)


def distribute(options) -> None:
    """Connect the processes, and divide batches between all devices."""
    import keras

    if options.processes > 1:
        keras.distribution.initialize(f"127.0.0.1:{options.port}", options.processes, options.process)
    count = options.processes * options.devices
    if options.model_axis > 1:
        from keras_bert import BertEncoder

        shape = (count // options.model_axis, options.model_axis)
        mesh = keras.distribution.DeviceMesh(shape, ("batch", "model"), keras.distribution.list_devices())
        layouts = BertEncoder.get_layout_map(mesh)
        keras.distribution.set_distribution(
            keras.distribution.ModelParallel(layout_map=layouts, batch_dim_name="batch", auto_shard_dataset=False)
        )
    elif count > 1:
        keras.distribution.set_distribution(keras.distribution.DataParallel())


def train(options) -> dict:
    """Return the histories of `pretrain` by batch size, and of `finetune` and `evaluate`."""
    import keras
    import numpy as np

    import keras_bert as kb
    from keras_bert.text.masking import Masking
    from keras_bert.text.packing import pack_examples

    class Signal(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if int(self.model.optimizer.iterations) == options.signal_at:
                os.kill(os.getpid(), getattr(signal, options.signal))

    config = kb.BertConfig(VOCABULARY_SIZE, 16, 1, 4, 32, max_position_embeddings=LENGTH)
    examples = pack_examples(documents(), LENGTH, cls_id=2, sep_id=3)
    words = [f"w{i}" for i in range(VOCABULARY_SIZE - FIRST_WORD)]
    masking = Masking.from_vocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words], max_predictions=4)
    found = {}
    for size in options.batch_sizes:
        keras.utils.set_random_seed(1)
        model = kb.BertPretrainer(kb.BertEncoder(config))
        last = options.process == options.processes - 1
        found[str(size)] = kb.pretrain(
            *(model, examples[:ROWS], masking),
            validation=examples[ROWS : ROWS + 13],
            **{"batch_size": size, "steps": STEPS, "validate_every": 1, **SETTINGS},
            **{"checkpoint_dir": options.checkpoints, "checkpoint_every": 2},
            callbacks=[Signal()] if last and options.signal_at else [],
        ).history
    if options.finetune:
        rng = np.random.default_rng(0)
        labels = rng.integers(0, 2, ROWS)
        ids = rng.integers(20, 50, (ROWS, LENGTH), dtype=np.int32)
        ids[:, 0], ids[:, 1] = 2, FIRST_WORD + labels
        inputs = {"input_word_ids": ids, "input_mask": np.ones_like(ids), "input_type_ids": np.zeros_like(ids)}
        keras.utils.set_random_seed(1)
        model = kb.BertClassifier(kb.BertEncoder(config), 2)
        found["finetune"] = kb.finetune(
            model, inputs, labels, inputs, labels, epochs=2, **{"batch_size": 8, **SETTINGS}
        ).history
        found["evaluate"] = {"loss": [kb.evaluate(model, inputs, labels, batch_size=8)["loss"]]}
    return found


def documents() -> list:
    """Return documents in which a token id is mostly the previous one plus 1, so that there is a rule to learn."""
    import numpy as np

    rng = np.random.default_rng(0)
    lengths = [rng.integers(2, 9, rng.integers(3, 8)) for _ in range(20)]
    return [[FIRST_WORD + (rng.integers(50) + np.arange(size)) % 50 for size in each] for each in lengths]


if __name__ == "__main__":
    main()
