"""Short pretraining runs that change one part of the bundled encoder's recipe at a time.

    python experiments/recipe.py --data DIR                   # every run not in experiments/results/recipe.json
    python experiments/recipe.py --data DIR --only "as bundled"  # by the beginning of their names

DIR is the folder named by `KERAS_BERT_DATA`. Each run trains on the same number of tokens, with a complete
learning-rate
schedule, and is measured on held-out documents with 15 % of the tokens masked. docs/recipe.md is written from all runs
so far.
"""

import argparse
import dataclasses
import json
import os
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOUND, PAGE = ROOT / "experiments" / "results" / "recipe.json", ROOT / "docs" / "recipe.md"
WORK = ROOT / "build" / "recipe"
PARTS = ("embeddings", "bias", "positions")  # of the PPMI initialization
HELD_OUT = 1500  # rows


@dataclasses.dataclass(frozen=True)
class Recipe:
    """The settings of a run; the defaults are those of the bundled encoder."""

    ppmi: tuple[str, ...] = PARTS
    masking: float = 0.25
    rate: float = 1e-3
    layers: int = 4
    hidden: int = 256
    embedding: int | None = None
    vocabulary: int = 8192
    next_sentence: bool = False
    batch: int = 32
    dropout: float = 0.0


RUNS = {
    "as bundled": (Recipe(), (0, 1, 2)),
    "random initialization": (Recipe(ppmi=()), (0, 1)),
    "PPMI for the embeddings only": (Recipe(ppmi=("embeddings",)), (0,)),
    "PPMI without the embeddings": (Recipe(ppmi=("bias", "positions")), (0,)),
    "PPMI without the output bias": (Recipe(ppmi=("embeddings", "positions")), (0,)),
    "PPMI without the positions": (Recipe(ppmi=("embeddings", "bias")), (0,)),
    "15 % masked": (Recipe(masking=0.15), (0,)),
    "40 % masked": (Recipe(masking=0.4), (0,)),
    "half the learning rate": (Recipe(rate=5e-4), (0,)),
    "twice the learning rate": (Recipe(rate=2e-3), (0,)),
    "twice the batch size, half the steps": (Recipe(batch=64), (0,)),
    "dropout 0.1": (Recipe(dropout=0.1), (0,)),
    "deeper and narrower: 8 layers, hidden size 192": (Recipe(layers=8, hidden=192), (0,)),
    "wider: 4 layers, hidden size 384": (Recipe(hidden=384), (0,)),
    "embedding size 128, projected to 256": (Recipe(embedding=128), (0,)),
    "vocabulary of 16,384 tokens": (Recipe(vocabulary=16384), (0,)),
    "with next-sentence prediction": (Recipe(next_sentence=True), (0,)),
}


def measure(recipe: Recipe, seed: int, data: Path, tokens: int) -> dict:
    """Train, and measure on held-out rows."""
    import keras
    import numpy as np

    import keras_bert as kb
    from keras_bert.data import load_corpus, tokenize_documents
    from keras_bert.text.masking import Masking
    from keras_bert.text.shards import pack_to_disk
    from keras_bert.text.vocabulary import load_or_learn_vocabulary
    from keras_bert.training import pretrain
    from keras_bert.training.embedding_init import initialize_embeddings

    corpus = load_corpus([str(data / "data" / "corpus" / f"{name}.txt.xz") for name in ("wikipedia", "books")])
    work = WORK / str(recipe.vocabulary)
    work.mkdir(parents=True, exist_ok=True)
    sentences = (sentence for document in corpus for sentence in document)
    vocabulary = load_or_learn_vocabulary(None, sentences, recipe.vocabulary, lowercase=True, work=work)
    vectorizer = kb.BertTextVectorization(vocabulary, sequence_length=128)
    rows, held_out = pack_to_disk(
        work / ("pairs" if recipe.next_sentence else "rows"),
        corpus,
        lambda shard: tokenize_documents(shard, vectorizer),
        128,
        vectorizer.cls_id,
        vectorizer.sep_id,
        vocab_size=len(vocabulary),
        sentence_task="next" if recipe.next_sentence else None,
        held_out=0.01,
    )
    keras.utils.set_random_seed(seed)
    config = kb.BertConfig(
        vocab_size=len(vocabulary),
        num_layers=recipe.layers,
        hidden_size=recipe.hidden,
        embedding_size=recipe.embedding,
        num_heads=recipe.hidden // 64,
        intermediate_size=4 * recipe.hidden,
        hidden_dropout=recipe.dropout,
        attention_dropout=recipe.dropout,
    )
    model = kb.BertPretrainer(kb.BertEncoder(config), sentence_task="next" if recipe.next_sentence else None)
    masking = Masking.from_vocabulary(vocabulary, rate=recipe.masking, max_predictions=round(128 * recipe.masking) + 1)
    if recipe.ppmi:
        embeddings = model.encoder.embeddings
        parts = (
            embeddings.word_embeddings.embeddings,
            model.mlm_head.output_bias,
            embeddings.position_embeddings.embeddings,
        )
        before = [keras.ops.convert_to_numpy(part).copy() for part in parts]
        initialize_embeddings(model, rows, masking, seed)
        for name, part, value in zip(PARTS, parts, before, strict=True):
            if name not in recipe.ppmi:
                part.assign(value)
    history = pretrain(
        model,
        rows,
        masking,
        validation=held_out[:HELD_OUT],
        steps=tokens // (128 * recipe.batch),
        batch_size=recipe.batch,
        learning_rate=recipe.rate,
        validate_every=10**9,  # at the end
        seed=seed,
        verbose=0,
    ).history
    # The loss per word: the loss per token favors a vocabulary that splits words into many tokens.
    ids = held_out[:HELD_OUT].input_word_ids
    pieces = np.isin(ids, np.flatnonzero(masking.maskable)).sum()
    words = np.isin(ids, [i for i in np.flatnonzero(masking.maskable) if not vocabulary[i].startswith("##")]).sum()
    return {
        "accuracy": history["val_mlm_accuracy"][-1],
        "loss": history["val_mlm_loss"][-1],
        "loss_a_word": history["val_mlm_loss"][-1] * float(pieces / words),
        "parameters": model.count_params(),
    }


def write_page(found: dict) -> None:
    """Write docs/recipe.md."""
    lines = [
        "# Parts of the pretraining recipe, in short runs",
        "",
        "Written by `python experiments/recipe.py --data $KERAS_BERT_DATA`: pretraining runs of "
        f"{found['tokens'] / 1e6:.1f} million tokens",
        "each, with a complete schedule. The settings are those of the bundled encoder except for the length",
        "(4 layers,",
        "hidden size 256, 8,192 tokens, PPMI initialization, 25 % of the tokens masked, 32 x 128, peak learning rate",
        "1e-3, no dropout, masked LM only; here in float32), and one of them is changed per run. With random",
        "initialization a model predicts little more than token frequencies for longer than this. So the runs show",
        "which changes end this phase earlier, not which model is better after a hundred million tokens.",
        "",
        f"Measured on {HELD_OUT:,} rows of held-out documents with 15 % of the tokens masked: masked-LM",
        "accuracy, loss in",
        "nats per token and, to compare vocabularies, per word; mean and standard deviation over seeds. Best",
        "values are",
        "bold.",
        "",
        "| run | seeds | accuracy | loss per token | loss per word | parameters |",
        "|---|---|---|---|---|---|",
    ]
    measured = {name: list(found["runs"][name].values()) for name in RUNS if found["runs"].get(name)}
    best = {
        key: choose(statistics.mean(run[key] for run in runs) for runs in measured.values())
        for key, choose in (("accuracy", max), ("loss", min), ("loss_a_word", min))
    }
    for name, runs in measured.items():
        cells = [
            _cell([run[key] * scale for run in runs], best[key] * scale, digits, unit)
            for key, scale, digits, unit in (("accuracy", 100, 1, " %"), ("loss", 1, 2, ""), ("loss_a_word", 1, 2, ""))
        ]
        lines.append(f"| {name} | {len(runs)} | {' | '.join(cells)} | {runs[0]['parameters']:,} |")
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _cell(values: list[float], best: float, digits: int, unit: str) -> str:
    """Format mean and standard deviation; bold if the mean is the best of its column."""
    mean = f"{statistics.mean(values):.{digits}f}"
    mean = f"**{mean}**" if mean == f"{best:.{digits}f}" else mean
    return mean + (f" ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else "") + unit


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("KERAS_BERT_DATA"))
    parser.add_argument("--only", nargs="*", default=[""], metavar="NAME")
    parser.add_argument("--tokens", type=int, default=800 * 32 * 128)
    arguments = parser.parse_args()
    if not arguments.data:
        parser.error("`--data` must be given, or KERAS_BERT_DATA must name the folder. Received: neither")
    found = json.loads(FOUND.read_text(encoding="utf-8")) if FOUND.exists() else {"runs": {}}
    if found.setdefault("tokens", arguments.tokens) != arguments.tokens:
        parser.error(f"`--tokens` must be {found['tokens']}, as in {FOUND}. Received: --tokens={arguments.tokens}")
    from keras_bert import ops

    ops.partition_cpu_threads()
    for name, (recipe, seeds) in RUNS.items():
        for seed in map(str, seeds):
            if name.startswith(tuple(arguments.only)) and seed not in found["runs"].get(name, {}):
                found["runs"].setdefault(name, {})[seed] = measure(recipe, int(seed), arguments.data, arguments.tokens)
                print(name, seed, found["runs"][name][seed], file=sys.stderr)
                FOUND.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
                write_page(found)


if __name__ == "__main__":
    main()
