"""Training of keras_bert as its command line runs it: the CPU threads are partitioned between halves of the batch."""

from benchmarks.contestants.keras_bert import Finetuning, Pretraining
from benchmarks.contestants.protocol import serve
from keras_bert import ops

if __name__ == "__main__":
    ops.partition_cpu_threads()
    serve({"pretraining": Pretraining, "finetuning": Finetuning})
