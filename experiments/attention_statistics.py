"""What the heads of BERT models attend to, whether a classifier needs them, and whether leave-one-out agrees.

    python -m experiments.attention_statistics --data DIR                     # every model not in the results yet
    python -m experiments.attention_statistics --data DIR --minilm FOLDER     # also all-MiniLM-L6-v2
    python -m experiments.attention_statistics --texts 200 --again            # measure again, on fewer segments

DIR is the folder named by `KERAS_BERT_DATA`, with `data/corpus/wikipedia.txt.xz` and `data/SST-2`. FOLDER is that of a
model of Hugging Face. A model is stored when it is measured, so an interrupted run continues with the next one. The
page docs/attention.md and its figures are written from all models measured so far.
"""

import argparse
import itertools
import json
import lzma
import os
import textwrap
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
FOUND, PAGE = ROOT / "experiments" / "results" / "attention_statistics.json", ROOT / "docs" / "attention.md"
IMAGES = ROOT / "docs" / "images"
MODELS = ("bert_en_uncased_mini", "bert_en_uncased_small")
MINILM, CLASSIFIER = "all-MiniLM-L6-v2", "sst2_sentiment"
LENGTH, FEWEST_WORDS, DISTANCE_TEXTS = 128, 20, 100
INTRODUCTION = f"""
Written by `python -m experiments.attention_statistics --data $KERAS_BERT_DATA --minilm FOLDER`, after Clark et al. 2019
(arXiv:1906.04341): mean attention of a token to itself, its neighbors, [CLS], [SEP], and periods and commas, first over
the tokens of a segment, then over segments. A segment is two consecutive paragraphs of a Wikipedia article, cut to
{LENGTH} tokens; padding is not counted. Entropy is smoothed as in their code. Attention shows from where a head takes
its values. It does not show which tokens decide a prediction: a section below compares it with leave-one-out. The last
section shows which heads a classifier needs.
"""
CORRELATIONS = f"""
Spearman rank correlation of the attention of [CLS] with leave-one-out, over the tokens of {{texts}} sentences of SST-2
dev, mean and standard error over sentences, for the classifier `{CLASSIFIER}`. Leave-one-out is the drop of the logit
of the predicted class when a token is replaced with [MASK], or the size of this change. Rollout and flow are those of
Abnar and Zuidema 2020 (arXiv:2005.00928); attention is the mean over the heads. The largest value of a row is bold.
"""
HEADS = f"""
`kb.explain.head_ablation`, after Michel et al. 2019 (arXiv:1905.10650): the accuracy of `{CLASSIFIER}` on SST-2 dev
when the output of one head is zero.
"""
COLUMNS = {
    "self": "itself",
    "previous": "previous",
    "next": "next",
    "cls": "[CLS]",
    "sep": "[SEP]",
    "punctuation": ". and ,",
    "entropy": "entropy (nats)",
}


def segments(path: Path, count: int) -> list[tuple[str, str]]:
    """Return two consecutive paragraphs of each of the first articles that have two of at least 20 words.

    Args:
        path: text file in xz format, a paragraph a line, a blank line between articles.
        count: the number of pairs.
    """
    pairs = []
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for blank, article in itertools.groupby(lines, lambda line: not line.strip()):
            paragraphs = [] if blank else [line.strip() for line in article if len(line.split()) >= FEWEST_WORDS]
            if len(paragraphs) > 1:
                pairs.append((paragraphs[0], paragraphs[1]))
            if len(pairs) == count:
                break
    return pairs


def measure(pretrained, texts: list, name: str) -> dict:
    """Compute the statistics of a model, write its figures, and return what the page shows."""
    import keras_bert as kb

    statistics = kb.explain.attention_statistics(pretrained, texts, LENGTH, DISTANCE_TEXTS, _progress(name, texts))
    figures = {"heads": statistics.figure(), "map": statistics.map_figure()}
    IMAGES.mkdir(exist_ok=True)
    for kind, figure in figures.items():
        figure.figure.savefig(IMAGES / f"attention-{kind}-{name}.png", dpi=110, facecolor="white")
    return {**statistics.to_dict(), "captions": {kind: figure.caption for kind, figure in figures.items()}}


def correlate(classifier, path: Path, count: int) -> dict:
    """Compare attention, rollout and flow with leave-one-out on sentences of SST-2 dev."""
    import keras_bert as kb

    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    texts = [line.split("\t")[0] for line in lines[:count]]
    found = {}
    for absolute in (False, True):
        each = kb.explain.attention_correlations(classifier, texts, absolute, _progress(CLASSIFIER, texts))
        kind = "size of the change" if absolute else "drop"
        found[kind] = {
            "texts": each.texts,
            "means": {name: values.tolist() for name, values in each.means().items()},
            "errors": {name: values.tolist() for name, values in each.errors().items()},
        }
    return found


def ablate_heads(classifier, path: Path) -> dict:
    """Measure the accuracy on SST-2 dev without single heads, write the figure, and return what the page shows."""
    import keras_bert as kb
    from keras_bert.data import read_table

    table = read_table(path)
    result = kb.explain.head_ablation(classifier, table.texts, [int(label) for label in table.labels])
    plot = result.plot()
    plot.figure.savefig(IMAGES / "attention-head-ablation.png", dpi=110, facecolor="white")
    return {**result.data, "caption": plot.caption}


def write_page(found: dict) -> None:
    """Write docs/attention.md from the results."""
    lines = ["# What the heads attend to", "", *textwrap.wrap(INTRODUCTION.strip(), 110)]
    for name, result in found["models"].items():
        lines += ["", f"## {name}", ""]
        text = f"{result['texts']:,} segments with {result['tokens']:,} tokens; {result['truncated']:,} were cut. "
        text += f"Uniform attention has an entropy of {result['uniform_entropy']:.2f} nats. Mean of the heads of each "
        lines += [*textwrap.wrap(f"{text}layer; the largest share is bold:", 110), ""]
        lines.append("| layer | " + " | ".join(COLUMNS.values()) + " |")
        lines.append("|---" * (len(COLUMNS) + 1) + "|")
        values = {**result["averages"], "entropy": result["entropy"]}
        for layer in range(len(result["entropy"])):
            means = {key: np.mean(values[key][layer]) for key in COLUMNS}
            best = max((key for key in COLUMNS if key != "entropy"), key=means.get)
            cells = [f"**{100 * means[key]:.1f} %**" if key == best else f"{100 * means[key]:.1f} %" for key in means]
            lines.append(f"| {layer + 1} | " + " | ".join([*cells[:-1], f"{means['entropy']:.2f}"]) + " |")
        classes = list(itertools.chain(*result["classes"]))
        counts = ", ".join(f"{each} {classes.count(each)}" for each in dict.fromkeys(classes))
        lines += [
            "",
            f"Heads by class, of {len(classes)}: {counts}. The head with the largest share of each target:",
            "",
        ]
        lines += ["| target | layer | head | share |", "|---|---|---|---|"]
        for key in list(COLUMNS)[:-1]:
            layer, head = np.unravel_index(np.argmax(values[key]), np.shape(values[key]))
            share = 100 * values[key][layer][head]
            lines.append(f"| {COLUMNS[key]} | {layer + 1} | {head + 1} | {share:.1f} % |")
        for kind, caption in result["captions"].items():
            lines += ["", f"![{caption}](images/attention-{kind}-{name}.png)", "", *textwrap.wrap(caption, 110)]
    if "correlations" in found:
        lines += _correlations(found["correlations"])
    if "head_ablation" in found:
        caption = found["head_ablation"]["caption"]
        lines += ["", "## Single heads", "", *textwrap.wrap(HEADS.strip(), 110)]
        lines += ["", f"![{caption}](images/attention-head-ablation.png)", "", *textwrap.wrap(caption, 110)]
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _correlations(found: dict) -> list[str]:
    texts = found["drop"]["texts"]
    lines = ["", "## Agreement with leave-one-out", ""]
    lines += textwrap.wrap(CORRELATIONS.format(texts=f"{texts:,}").strip(), 110)
    lines += ["", "| leave-one-out | layer | attention | rollout | flow |", "|---|---|---|---|---|"]
    for kind, result in found.items():
        for layer in range(len(result["means"]["flow"])):
            rounded = {name: round(means[layer], 2) for name, means in result["means"].items()}
            best = max(rounded.values())  # in layer 1, all three are the attention itself
            cells = []
            for name, mean in rounded.items():
                cell = f"{mean + 0.0:+.2f} ± {result['errors'][name][layer]:.2f}"
                cells.append(f"**{cell}**" if mean == best > min(rounded.values()) else cell)
            lines.append(f"| {kind} | {layer + 1} | " + " | ".join(cells) + " |")
    return lines


def _progress(name: str, texts: list):
    def show(done: int) -> None:
        if done % 50 == 0 or done == len(texts):
            print(f"{name}: {done} of {len(texts)}", flush=True)

    return show


def main() -> None:
    """Measure what is missing, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=os.environ.get("KERAS_BERT_DATA"))
    parser.add_argument("--minilm", type=Path, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--texts", type=int, default=1000, help="segments of Wikipedia")
    parser.add_argument("--sentences", type=int, default=100, help="sentences of SST-2")
    parser.add_argument("--classifier", default=CLASSIFIER, help="folder of the classifier, or its name")
    parser.add_argument("--again", action="store_true", help="also measure what is in the results")
    options = parser.parse_args()
    import keras_bert as kb

    found = json.loads(FOUND.read_text()) if FOUND.is_file() else {"models": {}}
    sources = {name: name for name in MODELS} | ({MINILM: options.minilm} if options.minilm else {})
    if options.data:
        texts = segments(Path(options.data) / "data" / "corpus" / "wikipedia.txt.xz", options.texts)
        for name, source in sources.items():
            if options.again or name not in found["models"]:
                found["models"][name] = measure(kb.load_pretrained(source), texts, name)
                FOUND.write_text(json.dumps(found) + "\n")
        classifier, path = kb.load_pretrained(options.classifier), Path(options.data) / "data" / "SST-2" / "dev.tsv"
        if options.again or "correlations" not in found:
            found["correlations"] = correlate(classifier, path, options.sentences)
            FOUND.write_text(json.dumps(found) + "\n")
        if options.again or "head_ablation" not in found:
            found["head_ablation"] = ablate_heads(classifier, path)
            FOUND.write_text(json.dumps(found) + "\n")
    write_page(found)


if __name__ == "__main__":
    main()
