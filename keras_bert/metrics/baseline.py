"""A baseline for classification: logistic regression on TF-IDF features."""

from collections.abc import Sequence

from keras_bert.extras import require


def tfidf_accuracy(train_texts: Sequence[str], train_labels, texts: Sequence[str], labels) -> float:
    """Compute the accuracy of logistic regression on TF-IDF features of words and word pairs.

    Args:
        train_texts: N training texts.
        train_labels: int `[N]`.
        texts: M texts to evaluate on.
        labels: int `[M]`, their labels.

    Returns:
        The fraction of correct predictions, in [0, 1].

    Raises:
        InputError: scikit-learn is not installed.

    Example:

    >>> tfidf_accuracy(["a fine film", "a fine day", "a dull film", "a dull day"], [1, 1, 0, 0], ["fine"], [1])
    1.0

    Source: scikit-learn's `TfidfVectorizer` and `LogisticRegression`.
    """
    require("sklearn", "the TF-IDF baseline")
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    baseline = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression(C=10, max_iter=1000))
    return float(baseline.fit(train_texts, train_labels).score(texts, labels))
