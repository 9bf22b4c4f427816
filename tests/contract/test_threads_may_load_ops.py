"""Ops are found, and their kernels read, by many threads at once: symbols are computed so."""

import subprocess
import sys

AT_ONCE = """
import gc, sys, threading, time
from concurrent.futures import ThreadPoolExecutor

class Rubbish:
    '''Let another thread go on wherever this is thrown away: in the middle of a tree as well.'''
    def __init__(self):
        self.me = self
    def __del__(self):
        time.sleep(0)

sys.setswitchinterval(1e-6)
begin = threading.Barrier(8)

def read(number):
    from qf import kernel, op
    begin.wait()
    for family in (*op.FAMILIES[number:], *op.FAMILIES[:number]):
        assert list(op.family(family)), family
    found = op.find("book", "book")
    kernels = [o for o in op.load().values() if "kernel" in o.rules]
    begin.wait()
    gc.set_threshold(5)
    texts = []
    for each in kernels[number::8] + [found]:
        Rubbish()
        texts.append(kernel.kernel_text(each))
    return len(kernels), texts[-1]

with ThreadPoolExecutor(8) as pool:
    assert len(set(pool.map(read, range(8)))) == 1
"""


def test_eight_threads_find_the_same_ops_and_read_their_kernels():
    done = subprocess.run(
        [sys.executable, "-c", AT_ONCE], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
