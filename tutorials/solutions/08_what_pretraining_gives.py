# %% [markdown]
# # Solutions of chapter 08 · What does pretraining give?

# %%
from keras_bert.book import Chapter  # first, because it turns off log messages of TensorFlow

chapter = Chapter(8)

import keras
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import keras_bert as kb

reviews = chapter.reviews()
texts, labels = reviews.train_texts[:1000], reviews.train_labels[:1000]

# %% [markdown]
# ## Exercise 1: the standard error
#
# The standard error falls with the square root of the number of sentences: for half the error, four times as many.

# %%
p = 0.7
print(f"100 sentences: {np.sqrt(p * (1 - p) / 100):.1%}")
needed = int(np.ceil(p * (1 - p) / 0.005**2))  # two standard errors are 0.01, so one is 0.005
print(f"two standard errors are one point with {needed:,} sentences")
assert 2 * np.sqrt(p * (1 - p) / needed) <= 0.01

# %% [markdown]
# ## Exercise 2: a frozen encoder at a high learning rate
#
# With `freeze="all"` the encoder's weights do not change at all, so the masked LM is exactly what it was.

# %%
mini = kb.load_pretrained("bert_en_uncased_mini")
vectorizer = kb.BertTextVectorization(mini.vocabulary, sequence_length=32)
keras.utils.set_random_seed(0)
model = kb.BertClassifier(mini.encoder.copy(dropout=0.1), num_classes=2)
before = model.encoder.get_weights()
settings = {"epochs": 2, "batch_size": 32, "learning_rate": 5e-3, "freeze": "all", "verbose": 0}
kb.finetune(model, vectorizer(texts[:400]), labels[:400], **settings)
changed = [not np.array_equal(old, new) for old, new in zip(before, model.encoder.get_weights(), strict=True)]
print(f"{sum(changed)} of {len(changed)} weights of the encoder changed")
assert not any(changed)

# %% [markdown]
# ## Exercise 3: shuffled labels
#
# The features know nothing about shuffled labels, so the mean over several shuffles is near 50 %. One shuffle can be
# some points away: by chance, more or fewer than half of its labels are still right. A mean far from 50 % would show a
# mistake, such as dev sentences among the training sentences.

# %%
small = kb.load_pretrained("bert_en_uncased_small")
small_vectorizer = kb.BertTextVectorization(small.vocabulary, sequence_length=32)
vectors, dev_vectors = (
    kb.embed(small.encoder, small_vectorizer(list(part)), pool="second-to-last") for part in (texts, reviews.dev_texts)
)
accuracies = []
for seed in range(3):
    shuffled = np.random.default_rng(seed).permutation(labels)
    classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300)).fit(vectors, shuffled)
    accuracies.append(classifier.score(dev_vectors, reviews.dev_labels))
print("shuffled labels:", np.round(accuracies, 3))
assert abs(np.mean(accuracies) - 0.5) < 0.05
