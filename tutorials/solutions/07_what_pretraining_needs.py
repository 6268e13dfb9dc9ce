# %% [markdown]
# # Solutions of chapter 07 · What does pretraining need?
#
# ## Exercise 1: how much BERT base read
#
# Appendix A.2: 256 rows of 512 tokens are 128,000 tokens per batch, as the authors round it, and 1 million steps are
# about 40 epochs of 3.3 billion words.

# %%
import numpy as np

import keras_bert as kb
from keras_bert.data import tokenize_documents
from keras_bert.text.masking import Masking
from keras_bert.text.packing import pack_examples
from keras_bert.training import MaskedBatches

tokens = 1_000_000 * 256 * 512
passes = tokens / (3.3e9 * 1.3)
print(f"{tokens / 1e9:.0f} billion tokens, {passes:.0f} passes with 1.3 tokens per word; {tokens / 3.3e9:.0f} with one")
assert 25 < passes < 40

# %% [markdown]
# The paper's 40 epochs come from dividing tokens by words.
#
# ## Exercise 2: repeat the token before the gap

# %%
mini = kb.load_pretrained("bert_en_uncased_mini")
vectorizer = kb.BertTextVectorization(mini.vocabulary, sequence_length=32)
train, held_out = tokenize_documents(kb.load_corpus("sample"), vectorizer).split(fraction=0.1, seed=0)
validation = pack_examples(held_out, 32, vectorizer.cls_id, vectorizer.sep_id, seed=0, sentence_task=None)
masking = Masking.from_vocabulary(mini.vocabulary, max_predictions=5)
frequent = np.bincount(train.ids).argmax()

# %%
repeated, constant = [], []
batches = MaskedBatches(validation, masking, batch_size=64, shuffle=False)
for inputs, targets, weights in (batches[i] for i in range(len(batches))):
    asked, labels = weights["mlm_logits"] == 1, targets["mlm_logits"]  # [B, P]
    before = np.take_along_axis(inputs["input_word_ids"], np.maximum(inputs["masked_lm_positions"] - 1, 0), axis=1)
    repeated += (before == labels)[asked].tolist()
    constant += (labels == frequent)[asked].tolist()
print(
    f"repeat the token before: {np.mean(repeated):.1%}, always {mini.vocabulary[frequent]!r}: {np.mean(constant):.1%}"
)
assert np.mean(repeated) < np.mean(constant)

# %% [markdown]
# It is worse: two equal tokens in a row are rare in English.
#
# ## Exercise 3: the size of a test
#
# The standard error of a share p of n answers is the root of p (1 - p) / n.

# %%
n = 0.5 * 0.5 / 0.01**2
print(f"{n:.0f} masked tokens")
assert round(n) == 2500
