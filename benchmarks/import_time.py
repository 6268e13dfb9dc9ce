"""Time of `import keras_bert` and of its first use, as ratios to `import keras_hub`: python -m benchmarks.import_time.

Every round runs each program once, in a new process; the first round, which fills the page cache, is not counted. For
the modules that take the time: python -X importtime -c "import keras_bert".
"""

import os
import statistics
import subprocess
import sys
import time

REFERENCE = "import keras_hub"
PROGRAMS = (
    "pass",
    "import keras_bert",
    "import keras",
    "import keras_bert; keras_bert.BertEncoder",
    "import keras_bert; keras_bert.BertTextVectorization; keras_bert.finetune; keras_bert.Predictor",
    REFERENCE,
)


def measure(rounds: int = 3) -> dict[str, float]:
    """Return the median seconds of each program."""
    seconds = {program: [] for program in PROGRAMS}
    for number in range(-1, rounds):
        for program, found in seconds.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", program], check=True, stderr=subprocess.DEVNULL, env=os.environ)
            if number >= 0:
                found.append(time.perf_counter() - start)
    return {program: statistics.median(found) for program, found in seconds.items()}


if __name__ == "__main__":
    medians = measure()
    for name, median in medians.items():
        print(f"{median:7.2f} s  {median / medians[REFERENCE]:5.2f}  {name}")
