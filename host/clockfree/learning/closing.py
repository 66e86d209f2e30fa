"""Closing of a run on boards: what is said of all of it, when every board has told its last."""

from clockfree.learning.diagnostics import Diagnostics
from clockfree.learning.events import Journal
from clockfree.learning.pace import Pace
from clockfree.learning.tally import Tally
from clockfree_model import events


def say_last(journal: Journal, tally: Tally, pace: Pace, complaints: Diagnostics) -> None:
    """Ages, lateness and rates of the edges for the record, and to a person which of them fired too rarely."""
    ages_us, late_us, tick_us = tally.age_us.tolist(), tally.late_us.tolist(), complaints.tick_us
    text = (
        f"largest decision age {max(ages_us)} us, firings late by up to {max(late_us)} us, longest change of "
        f"example {tick_us} us"
    )
    often_hz = [None if hz != hz else round(hz, 3) for hz in pace.hz().tolist()]
    journal.note(events.AGES, text, said=False, age_us=ages_us, late_us=late_us, rate_hz=often_hz, tick_us=tick_us)
    if short := pace.short():
        name, fired, due = min(short, key=lambda each: each[1] / each[2])
        more = f", and {len(short) - 1} edges more too few" if len(short) > 1 else ""
        too_few = f"{name} has fired {fired} times where {due:.0f} were due{more}: {complaints.too_busy}"
        journal.note(events.SILENT, too_few)
