"""Processors and memory, with the functions that some operating systems lack removed."""

import math
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from keras_bert import system


def test_available_cpus_respects_affinity(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 3, 5}, raising=False)
    assert system.available_cpus() == 3


@pytest.mark.parametrize("counted, expected", [(8, 8), (None, 1)])
def test_available_cpus_without_affinity(monkeypatch, counted, expected):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: counted)
    assert system.available_cpus() == expected


@pytest.mark.parametrize("platform, expected", [("linux", 3 * 2**10), ("darwin", 3)])
def test_peak_memory_units(monkeypatch, platform, expected):
    usage = {"self": SimpleNamespace(ru_maxrss=2 * 2**20), "children": SimpleNamespace(ru_maxrss=2**20)}
    resource = SimpleNamespace(RUSAGE_SELF="self", RUSAGE_CHILDREN="children", getrusage=usage.get)
    monkeypatch.setattr(system, "resource", resource)
    monkeypatch.setattr(sys, "platform", platform)
    assert system.peak_memory_mib() == expected


def test_peak_memory_without_resource(monkeypatch):
    monkeypatch.setattr(system, "resource", None)
    assert math.isnan(system.peak_memory_mib())


def test_import_without_resource():
    program = "import sys; sys.modules['resource'] = None; from keras_bert.system import *; print(peak_memory_mib())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "nan\n", done.stderr
