"""Where the two wings meet: training writes records here, the report reads them. Nothing in this package needs torch."""

from hmc.results.record import Record, RecordError, StaleRecordError
from hmc.results.store import State, Store

__all__ = ["Record", "RecordError", "StaleRecordError", "State", "Store"]
