"""A contestant without libraries, which appends its rounds to a shared file."""

import time
from pathlib import Path

import numpy as np

from benchmarks.contestants.protocol import serve


class Toy:
    def __init__(self, task):
        self.form, self.turns = task["form"], Path(task["turns"])
        if self.form == "broken":
            raise ValueError("it cannot be prepared")

    def outputs(self):
        return {"sum": np.array([3.0, 4.0 if self.form == "wrong" else 5.0])}

    def run(self, case, number):
        if number >= 0:
            with self.turns.open("a") as file:
                file.write(f"{self.form}{number} ")
        time.sleep(0.01)


if __name__ == "__main__":
    serve({"toy": Toy})
