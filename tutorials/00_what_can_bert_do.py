# %% [markdown]
# # 00 · What can a BERT do?
#
# BERT is a neural network that reads a text and gives one vector for each piece of it. What can be done with these
# vectors, and how do we know that the answers come from the text and not from something simpler?
#
# **At the end** you have seen a BERT fill gaps, classify sentences and compare them, each beside a control experiment,
# and you know which chapter explains which part. No theory is needed here: models are used, not explained. For the book
# you need some Python and the idea of a layer with weights.
#
# **Time**: under two minutes on 2 cores, without a network connection. **Papers**: Devlin et al. 2018
# ([BERT](https://arxiv.org/abs/1810.04805)), sections 1 and 3; Reimers and Gurevych 2019
# ([Sentence-BERT](https://arxiv.org/abs/1908.10084)), section 1.
#
# Run it as a script (`python tutorials/00_what_can_bert_do.py`; the figures go to `tutorials/out/`) or as a notebook.

# %%
from keras_bert.book import Chapter  # first, because it turns off most log messages

chapter = Chapter(0)

import keras
import numpy as np

import keras_bert as kb
from keras_bert.metrics.baseline import tfidf_accuracy

# %% [markdown]
# ## The whole picture
#
# This drawing shows all that happens between a text and an answer. Read it from top to bottom. You do not need to
# understand the boxes yet: each has its own chapter.

# %%
picture = kb.explain.flow_chart(
    [
        "text\nhe died of a heart [MASK] .",
        "ids (chapter 01)\none number for each piece of text",
        "vectors (chapter 02)\none vector for each number; it does not know the other words",
        "blocks (chapters 03 and 04)\nattention: each vector takes in information from the others",
        "answer (chapters 06 to 10)\na word for the gap, a class, a place in the text, a similarity",
    ],
    "A BERT from top to bottom. The blocks are repeated: 4 and 6 times in the models of section 1.",
)
chapter.show(picture, "overview")

# %% [markdown]
# *Look at* the third and the fourth box. Before the blocks, a vector depends on its own piece of text only. After
# them, it depends on the whole text. This is what the experiments below test.
#
# The name stands for *Bidirectional Encoder Representations from Transformers*: each vector can depend on the words on
# both sides. A GPT, the kind of model in many chat programs, reads the words up to a place and predicts the next one,
# again and again. A BERT is not made to write long texts.
#
# ## 1 · Words in gaps
#
# The first task is the one that BERT is trained with: some words of a text are replaced by `[MASK]`, and the model
# predicts them. This is called *masked language modeling*. It needs no labels, because the text itself
# has the answers.
#
# This section uses two models that come with this package. `mini` was trained from random weights by this project.
# `small` is larger. It was made from MiniLM, a model published by others, and trained further by this project. The
# *parameters* are the numbers that training sets. Both models have 8,192 *tokens*: words, parts of words and
# punctuation marks. Both were trained on English text. `kb.load_pretrained` also loads published models of other
# languages, such as Google's Chinese and multilingual BERT.

# %%
small = kb.load_pretrained("bert_en_uncased_small")
mini = kb.load_pretrained("bert_en_uncased_mini")
models = {"small": small, "mini": mini}
for name, each in models.items():
    config = each.encoder.config
    count = each.encoder.count_params()
    print(f"{name:5}: {count:,} parameters, {config.num_layers} layers, {config.vocab_size:,} tokens")

# %% [markdown]
# `kb.fill_mask` returns the most probable tokens for every `[MASK]`. The probabilities of all 8,192 tokens sum to 1.
# The texts are written as the models read them: in lowercase, with spaces around punctuation marks. You can also write
# "Door." in place of "door ."; the model reads the same.

# %%
GAPS = [
    "she opened the [MASK] and went into the house .",
    "they were married in 1910 and had three [MASK] .",
    "he died of a heart [MASK] .",
    "the capital of france is [MASK] .",
]
for name, each in models.items():
    for result in kb.fill_mask(each, GAPS, top_k=3):
        best = [f"{guess['token']} {guess['probability']:.0%}" for guess in result["masks"][0]["predictions"]]
        print(f"{name:5}  {result['text']:50} {', '.join(best)}")

# %% [markdown]
# Read the output above line by line. Most answers fit the grammar and the subject of the sentence. The capital of
# France is not found by either model, although some of the predicted words fit the grammar. And the models differ:
# after "heart", "attack" is the most probable token of `mini`, and "injury" that of `small`. A larger model is not
# better in every sentence.
#
# ## 2 · Does the answer depend on the sentence?
#
# Perhaps the model gives common words a high probability everywhere. Then "door" would need no sentence. To test
# this, we take nine sentences with one answer each, and compute the probability of **every** answer in **every**
# sentence. The last row is the control: "the [MASK] ." has no information about the word.


# %%
def probabilities(pretrained, text):
    """Return a dict of token to probability, for the first gap of a text."""
    every = kb.fill_mask(pretrained, [text], top_k=len(pretrained.vocabulary))[0]["masks"][0]["predictions"]
    return {guess["token"]: guess["probability"] for guess in every}


total = sum(probabilities(small, GAPS[0]).values())
print(f"the probabilities of all tokens sum to {total:.4f}")
assert abs(total - 1) < 1e-4

# %%
SENTENCES = {
    "door": "she opened the [MASK] and went into the house .",
    "children": "they were married in 1910 and had three [MASK] .",
    "wine": "he drank a glass of [MASK] with his dinner .",
    "ocean": "the ship sailed across the atlantic [MASK] .",
    "school": "the teacher works at a [MASK] for boys .",
    "river": "a bridge crosses the [MASK] .",
    "king": "the [MASK] and the queen of england .",
    "book": "she wrote a [MASK] about her life .",
    "war": "many soldiers died in the [MASK] .",
}
answers, texts = list(SENTENCES), [*SENTENCES.values(), "the [MASK] ."]

# %%
found = [probabilities(small, text) for text in texts]
percent = 100 * np.array([[row[answer] for answer in answers] for row in found])  # [sentences + 1, answers]
picture = kb.explain.matrix_chart(
    percent,
    texts,
    answers,
    "Probability (%) of each answer in each sentence, model `small`. The strongest color is 40 % and more.",
    limit=40,
    texts=[[f"{value:.1f}" for value in row] for row in percent],
)
chapter.show(picture, "answers")

# %% [markdown]
# *Look at* the diagonal: each sentence gives its own answer a high probability, and the answers of the other
# sentences almost none. The last row, the control, gives every answer less than one percent. So the probabilities on
# the diagonal come from the words of the sentence. (The sentences were written for this chapter, and other sentences
# can fail: see "the capital of france".)

# %%
own, control = np.diag(percent[:-1]), percent[-1]
others = percent[:-1][~np.eye(len(answers), dtype=bool)]
print(f"own sentence: at least {own.min():.1f} %; other sentences: at most {others.max():.1f} %")
print(f"control: at most {control.max():.1f} %")
assert own.min() > 5 and others.max() < 1 and control.max() < 1

# %% [markdown]
# ## 3 · Which words does the answer need?
#
# Now one sentence, "he died of a heart [MASK] .", and one answer for each model. We remove one word at a time and
# compute the probability of the answer again. If it falls, the model used that word.

# %%
WORDS = "he died of a heart [MASK] .".split()


def without_each_word(pretrained, answer):
    """Return the probability (%) of an answer in the whole sentence, and without each of its words."""
    values = {"all words": 100 * probabilities(pretrained, " ".join(WORDS))[answer]}
    for i, word in enumerate(WORDS):
        if word != "[MASK]":
            rest = " ".join(WORDS[:i] + WORDS[i + 1 :])
            values[f'without "{word}"'] = 100 * probabilities(pretrained, rest)[answer]
    return values


# %%
attack = without_each_word(mini, "attack")
picture = kb.explain.bar_chart(
    attack,
    'Model `mini`: probability of "attack" when one word of "he died of a heart [MASK] ." is removed.',
    "probability, %",
)
chapter.show(picture, "removed_mini")
assert attack["all words"] > 40 and attack['without "heart"'] < 1 and attack['without "."'] < 1

# %% [markdown]
# *Look at* the shortest bars. Without "heart" the probability is nearly 0, as expected. Without "." it is nearly 0,
# too: then the gap is the last place of the text, and the model predicts a period there. Without "a" most of it is
# lost: English says "a heart attack", with the article (exercise 1 removes two words at a time). Without "he" nothing
# is lost.

# %%
injury = without_each_word(small, "injury")
picture = kb.explain.bar_chart(
    injury,
    'Model `small`: probability of "injury" when one word of "he died of a heart [MASK] ." is removed.',
    "probability, %",
)
chapter.show(picture, "removed_small")
assert injury["all words"] > 10 and injury['without "heart"'] < 1 and injury['without "died"'] < 5

# %% [markdown]
# *Look at* the bar without "died": this model needs "died" as well, more than `mini` does. Both models need "heart"
# and the period. So two BERTs can use different words of the same sentence.
#
# ## 4 · All words removed
#
# What does the model answer when no word is left? This is the last step of the experiment, and an important control.

# %%
for name, each in models.items():
    alone = probabilities(each, "[MASK]")
    best = sorted(alone, key=alone.get, reverse=True)[:3]
    print(f"{name:5}:", ", ".join(f"{token!r} {alone[token]:.0%}" for token in best))
    assert best[0] == "." and alone["."] > 0.5

reviews = kb.load_labeled("sample")
period = np.mean([text.rstrip().endswith(".") for text in reviews.train_texts])
print(f"texts of the sample that end with a period: {period:.0%}")

# %% [markdown]
# Without any word, both models give a period a probability above 50 %. Most texts end with one (the last line above
# counts it in the bundled sample of film reviews), and the gap is at the end. Counting the last tokens of many texts
# gives the same answer, without any model. A high probability is therefore no proof that a model used the words.
# Compare it with the probability when the words are removed.
#
# ## 5 · A class for a sentence
#
# With one more layer on top, trained on sentences and their classes, a BERT classifies. The bundled `sst2_sentiment`
# was made from `small`. It was trained on SST-2, sentences from film reviews, with the answers of larger models as
# targets (its model card has the details). Is the opinion of a sentence negative or positive?

# %%
predict = kb.Predictor("sst2_sentiment")
OPINIONS = [
    "a warm , funny and beautifully acted film .",
    "the acting is bad , but the story is good .",
    "the story is good , but the acting is bad .",
    "far from dull .",
]
results = predict(OPINIONS)
for result in results:
    print(f"{result['text']:45} {result['label']} {result['probability']:.0%}")
assert [result["label"] for result in results[1:3]] == ["positive", "negative"]

# %% [markdown]
# The second and the third sentence have the same words in another order, and the answers differ: the model uses the
# order. The last answer is wrong, and its probability is high. (Chapter 11 shows how to ask which words an answer
# depends on.)
#
# Four sentences prove little. We take 400 sentences that the model was not trained on, and compare its accuracy with
# three baselines: always the more frequent class; the same model on the same words in random order (three orders);
# and a method without a neural network, which counts words and word pairs (TF-IDF with logistic regression) and
# learns from the sample's training part.

# %%
texts, labels = reviews.dev_texts[:400], np.array(reviews.dev_labels[:400])


def accuracy(texts):
    found = np.array([predict.labels.index(result["label"]) for result in predict(texts)])
    return 100 * np.mean(found == labels)


rng = np.random.default_rng(0)
shuffled = [accuracy([" ".join(rng.permutation(text.split())) for text in texts]) for _ in range(3)]

# %%
bars = {
    "more frequent class": 100 * max(labels.mean(), 1 - labels.mean()),
    "BERT, words in random order": np.mean(shuffled),
    "BERT": accuracy(texts),
    "TF-IDF, trained on such sentences": 100 * tfidf_accuracy(reviews.train_texts, reviews.train_labels, texts, labels),
}
picture = kb.explain.bar_chart(
    bars, "Accuracy on 400 sentences of film reviews.", "accuracy, %", {"BERT, words in random order": np.std(shuffled)}
)
chapter.show(picture, "accuracy")
assert bars["BERT"] > bars["BERT, words in random order"] + 3 > bars["more frequent class"] + 3
assert abs(bars["BERT"] - bars["TF-IDF, trained on such sentences"]) < 6

# %% [markdown]
# *Look at* the second and the third bar: the model loses accuracy when the words are shuffled, so the order helps.
# (The short black line is the standard deviation of the three orders.) But a part of its advantage over the constant
# answer remains: single words such as "dull" tell much about an opinion. The last bar is about as long as that of
# BERT: this method learned from sentences of the same source, and BERT was trained on other reviews. Chapter 08
# compares both with equal data.
#
# ## 6 · How similar are two sentences?
#
# The mean of the vectors of a sentence is one vector for the sentence. The cosine of two such vectors is 1 when they
# have the same direction and 0 when they are at a right angle. We hope that it is high for sentences with similar
# meanings and low for others. Here are three pairs of sentences with similar meanings. Few of their words are equal.

# %%
PAIRS = [
    "A man is playing a guitar.",
    "Someone plays an instrument.",
    "A cat is sleeping on the sofa.",
    "The kitten naps on the couch.",
    "She is cutting onions for the soup.",
    "He chops vegetables in the kitchen.",
]


def cosines(pretrained):
    return kb.explain.similarity_map(pretrained, PAIRS).cosine  # [6, 6]


minilm = np.array(chapter.minilm("similarity", lambda folder: cosines(kb.load_pretrained(folder))))  # [6, 6]

# %% [markdown]
# MiniLM (`all-MiniLM-L6-v2`, 6 layers of 384) was trained by its authors on pairs of sentences with similar meanings.
# If it is not installed, the numbers are read from a file of this package, which has them from the same computation.

# %%
short = ["guitar", "instrument", "cat", "kitten", "onions", "vegetables"]
picture = kb.explain.matrix_chart(minilm, PAIRS, short, "Cosines of the sentence vectors, MiniLM.", limit=1)
chapter.show(picture, "similarity_minilm")
picture = kb.explain.matrix_chart(cosines(mini), PAIRS, short, "Cosines of the sentence vectors, `mini`.", limit=1)
chapter.show(picture, "similarity_mini")

# %% [markdown]
# *Look at* the three blocks of 2 × 2 cells along the diagonal. In the first picture (MiniLM) they are the darkest
# cells: each sentence is most similar to its partner. In the second (`mini`) no cell is pale: all cosines are above
# 0.5, and only some sentences are most similar to their partners. `mini` was trained with masked words alone, and
# here this is not enough for good sentence vectors. The control is a BERT with random weights, for three seeds.


# %%
def random_bert(seed):
    keras.utils.set_random_seed(seed)
    encoder = kb.BertEncoder(mini.encoder.config)
    encoder.vectorizer = mini.vectorizer
    return encoder


def partners(cosine):
    """Count the sentences whose most similar other sentence is their partner."""
    nearest = np.where(np.eye(6, dtype=bool), -1, cosine).argmax(1)
    return int(np.sum(nearest == [1, 0, 3, 2, 5, 4]))


# %%
random = [cosines(random_bert(seed)) for seed in range(3)]
hits = {"MiniLM": partners(minilm), "mini": partners(cosines(mini)), "random": [partners(each) for each in random]}
print("sentences of 6 that are most similar to their partner:", hits)
print(f"random weights: no cosine is below {np.min(random):.2f}")
assert hits["MiniLM"] == 6 > hits["mini"] and np.mean(hits["random"]) < 4 and np.min(random) > 0.8

# %% [markdown]
# Guessing finds the partner with a probability of 1 in 5, so it would be right for about one of the six sentences.
# With random weights all cosines are high. The vectors of such a model depend on equal words and equal places, not on
# meanings. So a cosine of 0.9 alone does not say that two sentences are similar: compare it with the cosines of other
# sentences of the same model. Chapter 10 continues here.
#
# ## What could mislead you
#
# - **A plausible word is not understanding.** With all words removed, the models still gave an answer with a high
#   probability (section 4). The control was to remove words, and to ask for every answer in every sentence.
# - **A good accuracy may need no BERT.** The constant answer, the shuffled words and TF-IDF were the controls.
# - **A high cosine means nothing alone.** Random weights gave the highest cosines of all.
# - **Sentences that an author chose are no statistics.** The sentences of sections 1 to 3 and 6 were written for this
#   chapter. Exercise 3 asks for yours.
#
# ## The map of the book
#
# | chapter | question |
# |---|---|
# | 00 | What can a BERT do? |
# | [01](01_text_to_ids.py) | How does text become ids? |
# | [02](02_vectors_and_context.py) | What does a vector know before and after context? |
# | [03](03_attention.py) | How does attention work? |
# | [04](04_transformer_block.py) | Why this block, L times? |
# | [05](05_is_it_bert.py) | Is it BERT? |
# | [06](06_learning_from_text.py) | How does it learn from text alone? |
# | [07](07_what_pretraining_needs.py) | What does pretraining need? |
# | [08](08_what_pretraining_gives.py) | What does pretraining give? |
# | [09](09_four_tasks.py) | One encoder, four tasks? |
# | [10](10_sentence_vectors.py) | Which vector represents a sentence? |
# | [11](11_why_this_prediction.py) | Why this prediction? |
# | [12](12_smaller_and_faster.py) | Smaller and faster? |
# | [13](13_change_the_model.py) | How do I change it? |
# | [14](14_serving.py) | How do I serve it? |
# | [15](15_your_own_data.py) | How do I use my own data? |
#
# Chapters 01 to 05 build a BERT. Chapters 06 to 08 train it. Chapters 09 to 11 use it and look inside. Chapters 12 to
# 15 make it ready for use. From here on every chapter first computes by hand, then shows that the package gives the
# same numbers. Terms are explained in the [glossary](../docs/glossary.md), and letters such as H and T in the list of
# [symbols](../docs/book/symbols.md).
#
# ## Summary
#
# - A BERT reads a text and gives a vector for each piece. These vectors fill gaps, classify and compare.
# - The probability of a word depends on the sentence: high in its own sentence, below 1 % in the others and in the
#   control.
# - Removing one word at a time shows which words an answer needs. Sometimes it is the period.
# - A number means something beside a control: removed words, shuffled words, a constant answer, random weights.
# - Two models of one kind can answer differently, and neither is right everywhere.
#
# ## Exercises
#
# 1. Remove **two** words at a time from the sentence of section 3, but not "heart" and not ".". Which pair lowers the
#    probability of `mini` the most, and what does the model predict then?
# 2. Write the 400 sentences in capital letters and compute the accuracy again. Predict the result first.
# 3. Write five sentences with a gap and write down your own answer to each before you run the model. How often is
#    your answer among the first five of `mini` and of `small`?
#
# Solutions: [solutions/00_what_can_bert_do.py](solutions/00_what_can_bert_do.py).
#
# ## Next
#
# A network computes with numbers only: [chapter 01](01_text_to_ids.py) turns text into ids.
