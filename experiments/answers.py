"""A baseline for SQuAD without an encoder: TF-IDF and logistic regression over runs of words."""

import random
from pathlib import Path

import numpy as np
import scipy.sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from keras_bert.data.squad import Question, load_squad
from keras_bert.metrics.squad import squad_metrics

MAX_ANSWER_WORDS = 5
CONTEXT_WORDS = 8  # words before and after a candidate
SIMILARITY_WEIGHT = 5.0  # scale of the one similarity feature beside the many word features


def squad_baselines(folder: Path) -> dict:
    """Compute the F1 of two baselines on the dev part.

    `commonest` answers that there is no answer or, where every question has one, the first three words of the context.
    `tfidf` answers the run of words with the highest probability of a logistic regression on two kinds of features: the
    question's first words combined with the shape of the run, and the TF-IDF similarity of the question and the words
    around the run.
    """
    train, dev = (load_squad(folder / f"{part}.json") for part in ("train", "dev"))
    words = TfidfVectorizer(sublinear_tf=True).fit([question.context for question in train])
    shapes = TfidfVectorizer(token_pattern=r"\S+")
    draw = random.Random(0)
    sampled_texts, sampled_similarities, labels = [], [], []
    for question in (each for each in train if each.answers):
        runs, texts, similarities = candidates(question, words)
        correct = [i for i, run in enumerate(runs) if run == question.answers[0][0]]
        for i in [*correct[:1], *draw.sample(range(len(runs)), min(8, len(runs)))]:
            sampled_texts.append(texts[i])
            sampled_similarities.append(similarities[i])
            labels.append(int(i in correct))
    features = [shapes.fit_transform(sampled_texts), SIMILARITY_WEIGHT * np.array(sampled_similarities)]
    model = LogisticRegression(C=10, max_iter=1000).fit(scipy.sparse.hstack(features).tocsr(), labels)

    has_unanswerable = any(not question.answers for question in dev)
    commonest, tfidf = {}, {}
    for question in dev:
        runs, texts, similarities = candidates(question, words)
        features = scipy.sparse.hstack([shapes.transform(texts), SIMILARITY_WEIGHT * similarities]).tocsr()
        tfidf[question.name] = runs[int(model.predict_proba(features)[:, 1].argmax())]
        commonest[question.name] = "" if has_unanswerable else " ".join(question.context.split()[:3])
    expected = {question.name: [text for text, _ in question.answers] for question in dev}
    scores = {
        name: squad_metrics(expected, predicted)["f1"] / 100
        for name, predicted in (("commonest", commonest), ("tfidf", tfidf))
    }
    return {"examples": len(dev), **scores}


def candidates(question: Question, tfidf: TfidfVectorizer) -> tuple[list[str], list[str], np.ndarray]:
    """List all runs of words in a context.

    Returns:
        The runs; a text of features for each; the similarity of the question and the words around each, `[N, 1]`.
    """
    offsets, position = [], 0
    for word in question.context.split():
        start = question.context.index(word, position)
        position = start + len(word)
        offsets.append((start, position))
    first_words = "_".join(question.question.lower().split()[:2])
    runs, texts, surroundings = [], [], []
    for i in range(len(offsets)):
        for j in range(i, min(i + MAX_ANSWER_WORDS, len(offsets))):
            run = question.context[offsets[i][0] : offsets[j][1]].strip(".,;:()\"'")
            shape = "".join("9" if c.isdigit() else "A" if c.isupper() else "" for c in run)[:6] or "a"
            runs.append(run)
            texts.append(f"{first_words}+{shape} {first_words}+{j - i} {shape}")
            start, end = offsets[max(0, i - CONTEXT_WORDS)][0], offsets[min(len(offsets) - 1, j + CONTEXT_WORDS)][1]
            surroundings.append(question.context[start:end])
    similarities = (tfidf.transform(surroundings) @ tfidf.transform([question.question]).T).toarray()  # [N, 1]
    return runs, texts, similarities
