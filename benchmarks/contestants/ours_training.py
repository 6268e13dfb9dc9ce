"""This package's training as its command line runs it: the cores split, steps in two halves of the batch."""

from benchmarks.contestants.ours import Finetuning, Pretraining
from benchmarks.contestants.protocol import serve
from keras_bert import ops

if __name__ == "__main__":
    ops.partition_cpu_threads()
    serve({"pretraining": Pretraining, "finetuning": Finetuning})
