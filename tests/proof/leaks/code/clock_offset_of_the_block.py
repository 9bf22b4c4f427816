"""Receive times are corrected by the largest delay of the whole block."""

from qf.program import Program

LEAKS = ["cdm_trade_enriched"]
ENGINE = "machine"
INSTANTS = 8


def plant(patch):
    """Change the tape on its way into the program."""
    advance = Program.advance

    def leaking(self, columns):
        delay = columns["processed_time"] - columns["event_time"]
        columns = {**columns, "event_time": columns["event_time"] + int(delay.max(initial=0))}
        return advance(self, columns)

    patch.setattr(Program, "advance", leaking)
