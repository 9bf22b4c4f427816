"""A seeded market: venue frames with their truth, and small tables for the laws of the ops."""

from __future__ import annotations

from qf.testing.market.columns import KINDS as COLUMN_KINDS
from qf.testing.market.columns import columns

__all__ = ["COLUMN_KINDS", "columns"]
