"""DistilBERT's claims, of the encoder that ships: half its layers, distilled on its corpus, both fine-tuned alike.

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
    """A row of docs/results.md.

    Args:
        run: what runs a command and gives its facts.
        data: the folder that `KERAS_BERT_DATA` names.
        tuned: how the encoder that ships was fine-tuned, of saved_models/measured.json.
        seeds: of the student's fine-tuning; the teacher's of the same seeds are compared.
    """
    import keras_bert as kb
    from keras_bert.data import load_labeled
    from keras_bert.inference import predict_logits

    command = tuned["command"].replace("saved_models/bert_en_uncased_mini", "STUDENT").replace("build/", "OUT/")
    with tempfile.TemporaryDirectory() as folder:
        student = Path(folder) / "student"
        run(DISTILL, data, OUT=student)
        of_student = []
        for seed in seeds:
            found, _ = run(command.replace("OUT", folder), data, SEED=seed, STUDENT=student)
            of_student.append(found["accuracy"])
        texts = load_labeled(str(Path(data) / "data" / "SST-2")).dev_texts
        pairs = []
        for source in ("bert_en_uncased_mini", student):
            trained = kb.load_pretrained(source)
            rows = kb.BertTextVectorization(trained.vocabulary, sequence_length=128)(texts)
            pairs.append((kb.BertClassifier(trained.encoder), rows))
        seconds: list[list[float]] = [[], []]
        for _ in range(6):  # in turns; the first one compiles
            for (model, rows), took in zip(pairs, seconds, strict=True):
                begun = time.perf_counter()
                predict_logits(model, rows)
                took.append(time.perf_counter() - begun)
        sizes = [model.count_params() for model, _ in pairs]
        faster = statistics.median(seconds[0][1:]) / statistics.median(seconds[1][1:])
    of_teacher = [each["accuracy"] for each in tuned["runs"] if each["seed"] in seeds]
    kept = statistics.mean(of_student) / statistics.mean(of_teacher)
    each = ", ".join(f"{100 * accuracy:.2f}" for accuracy in of_student)
    return {
        "what": f"DistilBERT's claims of bert_en_uncased_mini: half the layers, distilled, fine-tuned on SST-2, "
        f"{len(seeds)} seeds",
        "result": f"{100 * (1 - sizes[1] / sizes[0]):.0f} % of the parameters saved ({sizes[1]:,} of {sizes[0]:,}), "
        f"{100 * (faster - 1):.0f} % faster, {100 * kept:.1f} % of the accuracy kept ({each})",
        "command": DISTILL,
    }
