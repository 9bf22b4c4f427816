"""The passes over a formula, one file each; compile.py runs them in the order of `ORDER`."""

from qf.language.passes.fold import fold
from qf.language.passes.inline import inline
from qf.language.passes.resolve import resolve

ORDER = (inline, resolve, fold)  # tree to tree; then check makes nodes, and share merges them
