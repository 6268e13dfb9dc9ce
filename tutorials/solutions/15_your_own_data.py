# %% [markdown]
# # Solutions of chapter 15 · How do I use my own data?

# %%
import numpy as np

from keras_bert.training.temperature_scaling import best_temperature

rng = np.random.default_rng(0)

# %% [markdown]
# ## Exercise 1: what a leak is worth
#
# N texts with an accuracy of 80 %, and n more that are all right: $(0.8 N + n) / (N + n)$.


# %%
def with_leak(accuracy, N, n):
    return (accuracy * N + n) / (N + n)


rise = 100 * (with_leak(0.8, 400, 12) - 0.8)
print(f"12 leaked rows: {rise:.2f} points; 100 leaked rows: {100 * (with_leak(0.8, 400, 100) - 0.8):.1f} points")
assert 0.5 < rise < 0.7

# %% [markdown]
# The rise by twelve rows is smaller than the standard error of an accuracy of 80 % on 400 texts, which is 2 points. But
# such a leak is in *all* results, and in a comparison it favors the model that memorizes more.
#
# ## Exercise 2: an interval of a difference
#
# Two models on the same 400 texts. They agree on most texts: both are right on the easy ones. We resample *texts*, and
# take both models' results of the same text together.

# %%
easy = rng.random(400) < 0.7
first = easy | (rng.random(400) < 0.45)  # bool [N]: is the first model right?
second = easy | (rng.random(400) < 0.25)
rows = rng.integers(400, size=(2000, 400))  # 2,000 resamples of 400 texts
differences = 100 * (first[rows].mean(1) - second[rows].mean(1))
low, high = np.percentile(differences, [2.5, 97.5])
unpaired = 100 * (first[rows].mean(1) - second[rng.permutation(rows)].mean(1))
wide = np.percentile(unpaired, [2.5, 97.5])
print(f"difference {100 * (first.mean() - second.mean()):.1f}, interval {low:.1f} to {high:.1f}")
print(f"if the two were resampled separately: {wide[0]:.1f} to {wide[1]:.1f}")
assert high - low < wide[1] - wide[0]

# %% [markdown]
# The texts that both models get right, or both wrong, cancel in the difference. Only the texts on which they differ
# count. Two separate intervals do not use this, so they are too wide for the question "which model is better?".
#
# ## Exercise 3: the temperature by hand
#
# We make logits that are three times too large, and try temperatures on a grid.

# %%
true_logits = rng.normal(0, 1, (2000, 2))
p = np.exp(true_logits) / np.exp(true_logits).sum(-1, keepdims=True)  # [N, 2]
labels = (rng.random(2000) < p[:, 1]).astype(int)  # drawn from these probabilities
logits = 3 * true_logits


def cross_entropy(T):
    scaled = logits / T
    return (np.log(np.exp(scaled).sum(-1)) - scaled[np.arange(2000), labels]).mean()


# %%
grid = np.linspace(0.5, 6, 1101)
losses = np.array([cross_entropy(T) for T in grid])
by_hand = grid[losses.argmin()]
package = best_temperature(logits, labels)
print(f"grid {by_hand:.2f}, best_temperature {package:.3f}, the factor was 3")
np.testing.assert_allclose(by_hand, package, atol=0.01)
assert abs(package - 3) < 0.5
assert cross_entropy(package) < cross_entropy(1)
