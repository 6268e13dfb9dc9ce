"""What finds answers in texts without an encoder: the measure beside SQuAD."""

import random
from pathlib import Path

import numpy as np
import scipy.sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from keras_bert.data.squad import Question, load_squad
from keras_bert.metrics import squad_metrics

LONGEST = 5  # words of an answer
AROUND = 8  # words before and after
NEAR = 5.0  # the weight of one number beside words


def of_spans(folder: Path) -> dict:
    """F1 on the dev part of two guesses: no answer, or where all have one, the context's first three words; and the run
    of words that logistic regression likes best by two things: the question's first words with the run's shape, and by
    TF-IDF how like the question the words around it are."""
    train, dev = (load_squad(folder / f"{part}.json") for part in ("train", "dev"))
    words = TfidfVectorizer(sublinear_tf=True).fit([each.context for each in train])
    shapes = TfidfVectorizer(token_pattern=r"\S+")
    draw = random.Random(0)
    shown, near, labels = [], [], []
    for question in (each for each in train if each.answers):
        runs, texts, likeness = candidates(question, words)
        right = [i for i, run in enumerate(runs) if run == question.answers[0][0]]
        for i in [*right[:1], *draw.sample(range(len(runs)), min(8, len(runs)))]:
            shown.append(texts[i])
            near.append(likeness[i])
            labels.append(int(i in right))
    features = scipy.sparse.hstack([shapes.fit_transform(shown), NEAR * np.array(near)]).tocsr()
    model = LogisticRegression(C=10, max_iter=1000).fit(features, labels)

    some_have_none = any(not each.answers for each in dev)
    commonest, likeliest = {}, {}
    for question in dev:
        runs, texts, likeness = candidates(question, words)
        features = scipy.sparse.hstack([shapes.transform(texts), NEAR * likeness]).tocsr()
        likeliest[question.name] = runs[int(model.predict_proba(features)[:, 1].argmax())]
        commonest[question.name] = "" if some_have_none else " ".join(question.context.split()[:3])
    expected = {each.name: [text for text, _ in each.answers] for each in dev}
    scores = {
        name: squad_metrics(expected, predicted)["f1"] / 100
        for name, predicted in (("commonest", commonest), ("tfidf", likeliest))
    }
    return {"examples": len(dev), **scores}


def candidates(question: Question, tfidf: TfidfVectorizer) -> tuple[list[str], list[str], np.ndarray]:
    """All runs of words in a context, what each looks like, and how like the question its surroundings are `[N, 1]`."""
    places, place = [], 0
    for word in question.context.split():
        begin = question.context.index(word, place)
        place = begin + len(word)
        places.append((begin, place))
    asks = "_".join(question.question.lower().split()[:2])
    runs, texts, around = [], [], []
    for i in range(len(places)):
        for j in range(i, min(i + LONGEST, len(places))):
            run = question.context[places[i][0] : places[j][1]].strip(".,;:()\"'")
            shape = "".join("9" if c.isdigit() else "A" if c.isupper() else "" for c in run)[:6] or "a"
            runs.append(run)
            texts.append(f"{asks}+{shape} {asks}+{j - i} {shape}")
            begin, end = places[max(0, i - AROUND)][0], places[min(len(places) - 1, j + AROUND)][1]
            around.append(question.context[begin:end])
    return runs, texts, (tfidf.transform(around) @ tfidf.transform([question.question]).T).toarray()
