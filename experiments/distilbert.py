"""DistilBERT's claims for the bundled encoder: half the layers, distilled on its corpus, fine-tuned the same way.

Sanh et al. 2019 (arXiv:1910.01108): 40 % of the parameters saved, 60 % faster, 97 % of the accuracy kept.
"""

import statistics
import tempfile
import time
from pathlib import Path

DISTILL = (
    "keras-bert distill --teacher bert_en_uncased_mini --data $KERAS_BERT_DATA/data/corpus/wikipedia.txt.xz "
    "--data $KERAS_BERT_DATA/data/corpus/books.txt.xz --layers 2 --steps 3000 --batch-size 32 --learning-rate 5e-4 "
    "--held-out 0.01 --seed 0 --out OUT --json"
)


def claims(run, data: str, tuned: dict, seeds) -> dict:
    """Measure the three claims.

    Args:
        run: runs a command and returns its JSON object.
        data: the folder named by `KERAS_BERT_DATA`.
        tuned: the entry `finetuning` of tools/measured.json, for the bundled encoder.
        seeds: seeds of the student's fine-tuning; the teacher's runs with the same seeds are compared.

    Returns:
        A row of docs/results.md.
    """
    import keras_bert as kb
    from keras_bert.data import load_labeled
    from keras_bert.inference import predict_logits

    command = tuned["command"].replace("saved_models/bert_en_uncased_mini", "STUDENT").replace("build/", "OUT/")
    with tempfile.TemporaryDirectory() as folder:
        student = Path(folder) / "student"
        run(DISTILL, data, OUT=student)
        student_accuracies = []
        for seed in seeds:
            facts, _ = run(command.replace("OUT", folder), data, SEED=seed, STUDENT=student)
            student_accuracies.append(facts["accuracy"])
        texts = load_labeled(str(Path(data) / "data" / "SST-2")).dev_texts
        pairs = []
        for source in ("bert_en_uncased_mini", student):
            trained = kb.load_pretrained(source)
            rows = kb.BertTextVectorization(trained.vocabulary, sequence_length=128)(texts)
            pairs.append((kb.BertClassifier(trained.encoder), rows))
        seconds: list[list[float]] = [[], []]
        for _ in range(6):  # interleaved; the first round compiles
            for (model, rows), times in zip(pairs, seconds, strict=True):
                start = time.perf_counter()
                predict_logits(model, rows)
                times.append(time.perf_counter() - start)
        sizes = [model.count_params() for model, _ in pairs]
        faster = statistics.median(seconds[0][1:]) / statistics.median(seconds[1][1:])
    teacher_accuracies = [each["accuracy"] for each in tuned["runs"] if each["seed"] in seeds]
    kept = statistics.mean(student_accuracies) / statistics.mean(teacher_accuracies)
    each = ", ".join(f"{100 * accuracy:.2f}" for accuracy in student_accuracies)
    return {
        "what": f"DistilBERT's claims for bert_en_uncased_mini: half the layers, distilled, fine-tuned on SST-2, "
        f"{len(seeds)} seeds",
        "result": f"{100 * (1 - sizes[1] / sizes[0]):.0f} % of the parameters saved ({sizes[1]:,} of {sizes[0]:,}), "
        f"{100 * (faster - 1):.0f} % faster, {100 * kept:.1f} % of the accuracy kept ({each})",
        "command": DISTILL,
    }
