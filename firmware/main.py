"""Starts the board: edge or supervisor, by /clockfree.json. With GP3 held low at reset it does nothing."""

import gc

from machine import Pin

if Pin(3, Pin.IN, Pin.PULL_UP)():
    gc.threshold(2048)  # what stays of loading lies together then: else a small heap has no room in one piece
    from clockfree_board import hw

    hw.start()
else:
    print("clockfree: GP3 is held low, so the program is skipped")
