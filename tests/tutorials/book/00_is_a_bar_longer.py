# %% [markdown]
# # 00 · Is a longer bar a larger number?
#
# A chart is read before its text. Does the length of a bar say how large a number is?
# At the end you have three charts. There is no paper.
#
# **Time**: under one minute on 2 cores.
#
# The length $l$ of a bar is $l = s \, v$ for a value $v$ and a scale $s$. See [the glossary](../docs/glossary.md).

# %%
import keras_bert as kb
from keras_bert.book import Chapter

chapter = Chapter(0)

# %% [markdown]
# ## 1 · By hand
#
# Two numbers, and their difference.

# %%
values = {"one": 1.0, "two": 2.0}  # [2]
print(values["two"] - values["one"])
assert values["two"] > values["one"]

# %%
plot = kb.explain.bar_chart(values, "Two bars: the lower one is twice as long.", "number")
chapter.show(plot, "bars")

# %% [markdown]
# *Look at* the lower bar: it is twice as long.

# %%
plot = kb.explain.line_chart([1, 2], {"value": [1.0, 2.0]}, "The line goes up.", "place", "number")
chapter.show(plot, "line")

# %% [markdown]
# *Look at* the right end: it is higher.

# %% [markdown]
# ## What could mislead you
#
# A bar that does not start at 0. The control is the same chart of equal numbers.

# %%
plot = kb.explain.bar_chart({"one": 1.0, "one again": 1.0}, "Two equal bars.", "number")
chapter.show(plot, "control")
assert plot.data["values"]["one"] == plot.data["values"]["one again"]

# %% [markdown]
# *Look at* the ends of the bars: they are at the same place.
#
# ## Summary
#
# - A longer bar is a larger number.
#
# ## Exercises
#
# 1. Draw three bars.
# 2. Draw a bar of length 0.
# 3. Draw a bar of a negative number.
#
# Solutions: [solutions/00_is_a_bar_longer.py](solutions/00_is_a_bar_longer.py).
#
# ## Next
#
# There is no other chapter.
