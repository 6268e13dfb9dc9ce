"""The ablation disables every kernel once alone or with its partner, and all of them together."""

from benchmarks.workloads.ablation import GROUPS
from keras_bert import ops


def test_groups_cover_all_kernels():
    alone = [name for group in GROUPS if group != ops.KERNELS for name in group]
    assert sorted(alone) == sorted(ops.KERNELS) and ops.KERNELS in GROUPS
