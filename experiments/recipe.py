"""What parts of the recipe of the encoder that ships give: short pretraining runs, one thing changed in each.

    python experiments/recipe.py --data DIR                   # every run that experiments/results/recipe.json has not yet
    python experiments/recipe.py --data DIR --only shipped    # by the beginning of their names

DIR is the folder that `KERAS_BERT_DATA` names. Each run trains for so many tokens, with the whole schedule, and is
measured on held-out documents, where 15 % of the tokens are hidden. docs/recipe.md is written from all runs so far.
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
PARTS = ("embeddings", "bias", "positions")  # of the warm start
HELD_OUT = 1500  # rows


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What a run is made of; the defaults are the encoder's that ships."""

    start: tuple[str, ...] = PARTS
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
    "as shipped": (Recipe(), (0, 1, 2)),
    "random start": (Recipe(start=()), (0, 1)),
    "warm start, embeddings alone": (Recipe(start=("embeddings",)), (0,)),
    "warm start, all but the embeddings": (Recipe(start=("bias", "positions")), (0,)),
    "warm start, all but the bias": (Recipe(start=("embeddings", "positions")), (0,)),
    "warm start, all but the positions": (Recipe(start=("embeddings", "bias")), (0,)),
    "15 % masked": (Recipe(masking=0.15), (0,)),
    "40 % masked": (Recipe(masking=0.4), (0,)),
    "half the rate": (Recipe(rate=5e-4), (0,)),
    "twice the rate": (Recipe(rate=2e-3), (0,)),
    "twice the batch, half the steps": (Recipe(batch=64), (0,)),
    "dropout 0.1": (Recipe(dropout=0.1), (0,)),
    "deeper, narrower: 8 layers of 192": (Recipe(layers=8, hidden=192), (0,)),
    "wider: 4 layers of 384": (Recipe(hidden=384), (0,)),
    "embeddings of 128, brought to 256": (Recipe(embedding=128), (0,)),
    "16,384 tokens": (Recipe(vocabulary=16384), (0,)),
    "with next sentences": (Recipe(next_sentence=True), (0,)),
}


def measure(recipe: Recipe, seed: int, data: Path, tokens: int) -> dict:
    """Train, and look at held-out rows."""
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
    if recipe.start:
        embeddings = model.encoder.embeddings
        parts = (
            embeddings.word_embeddings.embeddings,
            model.mlm_head.output_bias,
            embeddings.position_embeddings.embeddings,
        )
        before = [keras.ops.convert_to_numpy(part).copy() for part in parts]
        initialize_embeddings(model, rows, masking, seed)
        for name, part, value in zip(PARTS, parts, before, strict=True):
            if name not in recipe.start:
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
    # The held-out text in words: a loss for each token would favour a vocabulary that cuts words into many.
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
    """docs/recipe.md."""
    lines = [
        "# What parts of the recipe give, in short runs",
        "",
        "Written by `python experiments/recipe.py --data $KERAS_BERT_DATA`: pretraining runs of "
        f"{found['tokens'] / 1e6:.1f} million tokens",
        "each, with the whole schedule, as the encoder that ships is trained but for their length (4 layers of 256,",
        "8,192 tokens of vocabulary, warm start, 25 % of the tokens masked, 32 x 128, peak rate 1e-3, no dropout, no",
        "next sentences; here in float32), one thing changed in each. From a random start a model sits on a plateau,",
        "where it knows little more than how frequent words are, for longer than this: the runs show who has left it,",
        "not who is ahead after a hundred million tokens, and seeds differ in when they leave.",
        "",
        f"Measured on {HELD_OUT:,} rows of held-out documents, 15 % of the tokens hidden: the share of hidden tokens",
        "found, the loss in nats a token and, to compare vocabularies, a word.",
        "",
        "| run | seeds | found | loss a token | loss a word | parameters |",
        "|---|---|---|---|---|---|",
    ]
    for name in (name for name in RUNS if found["runs"].get(name)):
        each = list(found["runs"][name].values())
        accuracies = [100 * run["accuracy"] for run in each]
        spread = f" ± {statistics.stdev(accuracies):.1f}" if len(each) > 1 else ""
        losses = [run["loss"] for run in each]
        spread_of_loss = f" ± {statistics.stdev(losses):.2f}" if len(each) > 1 else ""
        word = statistics.mean(run["loss_a_word"] for run in each)
        lines.append(
            f"| {name} | {len(each)} | {statistics.mean(accuracies):.1f}{spread} % "
            f"| {statistics.mean(losses):.2f}{spread_of_loss} | {word:.2f} | {each[0]['parameters']:,} |"
        )
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("KERAS_BERT_DATA"))
    parser.add_argument("--only", nargs="*", default=[""], metavar="NAME")
    parser.add_argument("--tokens", type=int, default=800 * 32 * 128)
    arguments = parser.parse_args()
    if not arguments.data:
        parser.error("--data DIR is needed, or KERAS_BERT_DATA")
    found = json.loads(FOUND.read_text(encoding="utf-8")) if FOUND.exists() else {"runs": {}}
    if found.setdefault("tokens", arguments.tokens) != arguments.tokens:
        parser.error(f"{FOUND} holds runs of {found['tokens']:,} tokens. Received: --tokens {arguments.tokens}")
    from keras_bert import ops as fused

    fused.partition_cpu_threads()
    for name, (recipe, seeds) in RUNS.items():
        for seed in map(str, seeds):
            if name.startswith(tuple(arguments.only)) and seed not in found["runs"].get(name, {}):
                found["runs"].setdefault(name, {})[seed] = measure(recipe, int(seed), arguments.data, arguments.tokens)
                print(name, seed, found["runs"][name][seed], file=sys.stderr)
                FOUND.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
                write_page(found)


if __name__ == "__main__":
    main()
