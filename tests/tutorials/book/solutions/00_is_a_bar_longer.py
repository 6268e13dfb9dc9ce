# %% [markdown]
# # Solutions of chapter 00 · Is a longer bar a larger number?
#
# Solutions of the exercises in [chapter 00](../00_is_a_bar_longer.py).

# %%
import keras_bert as kb
from keras_bert.book import Chapter

chapter = Chapter(0)

# %% [markdown]
# ## Exercise 1: three bars

# %%
plot = kb.explain.bar_chart({"a": 1.0, "b": 2.0, "c": 3.0}, "Three bars.", "number")
chapter.show(plot, "three")
assert len(plot.data["values"]) == 3

# %% [markdown]
# ## Exercise 2: a bar of length 0

# %%
plot = kb.explain.bar_chart({"a": 0.0}, "No bar is visible.", "number")
assert plot.data["values"] == {"a": 0.0}

# %% [markdown]
# ## Exercise 3: a negative number

# %%
plot = kb.explain.bar_chart({"a": -1.0}, "The bar goes to the left.", "number")
assert plot.data["values"] == {"a": -1.0}
