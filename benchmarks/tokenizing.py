"""How many SST-2 sentences a second `BertTextVectorization` reads, in batches of 1,000; exactness is checked first.

    python benchmarks/tokenizing.py path/to/SST-2/train.tsv path/to/bert_en_uncased.txt

The last line is JSON: the median over the passes and the slowest and fastest, for ids alone and for the three inputs.
"""

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "text"))  # the independent tokenizer

from plain_tokenizer import tokenize  # noqa: E402

from keras_bert import BertTextVectorization  # noqa: E402


def check(vectorizer, texts):
    """Every hundredth line, token for token."""
    tokens = vectorizer.get_vocabulary()
    known = set(tokens)
    sample = texts[::100]
    for text, ids in zip(sample, vectorizer.tokenize(sample).to_list(), strict=True):
        expected = tokenize(text, known, vectorizer.lowercase)
        if [tokens[token_id] for token_id in ids] != expected:
            raise SystemExit(f"not exact: {text!r} should be {expected}")
    return len(sample)


def measure(function, batches, passes):
    """Sentences a second in each pass, after one pass to warm up."""
    count = sum(map(len, batches))
    rates = []
    for number in range(passes + 1):
        begin = time.perf_counter()
        for batch in batches:
            function(batch)
        if number:
            rates.append(count / (time.perf_counter() - begin))
    return {"median": round(statistics.median(rates)), "slowest": round(min(rates)), "fastest": round(max(rates))}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="train.tsv of SST-2: sentence<TAB>label, a header line")
    parser.add_argument("vocabulary", type=Path, help="vocab.txt, of an uncased model")
    parser.add_argument("--passes", type=int, default=5)
    arguments = parser.parse_args()

    lines = arguments.data.read_text("utf-8").split("\n")[1:]
    texts = [line.split("\t")[0] for line in lines if line]
    vectorizer = BertTextVectorization(arguments.vocabulary, sequence_length=64)
    checked = check(vectorizer, texts)
    batches = [texts[i : i + 1000] for i in range(0, len(texts), 1000)]
    result = {
        "benchmark": "tokenizing",
        "sentences": len(texts),
        "checked_equal": checked,
        "cpus": len(os.sched_getaffinity(0)),
        "load_average": round(os.getloadavg()[0], 1),
        "tokenize_sentences_per_second": measure(vectorizer.tokenize, batches, arguments.passes),
        "inputs_sentences_per_second": measure(vectorizer, batches, arguments.passes),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
