"""Ops are found, and their kernels read, by many threads at once: symbols are computed so."""

import subprocess
import sys

AT_ONCE = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
sys.setswitchinterval(1e-6)
begin = threading.Barrier(8)
def read(number):
    from qf import kernel, op
    begin.wait()
    found = op.find("book", "book")
    kernels = [o for o in op.load().values() if "kernel" in o.rules]
    texts = [kernel.kernel_text(o) for o in kernels[number::8] + [found]]
    return len(kernels), texts[-1]
with ThreadPoolExecutor(8) as pool:
    assert len(set(pool.map(read, range(8)))) == 1
"""


def test_eight_threads_find_the_same_ops_and_read_their_kernels():
    done = subprocess.run(
        [sys.executable, "-c", AT_ONCE], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
