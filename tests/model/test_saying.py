"""What is said is printable, whatever it is about."""

import unicodedata

from clockfree_model.saying import printable, put, say


def test_of_all_characters_only_those_that_control_something_are_escaped():
    turning = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}
    for number in [*range(0x3000), *range(0xFE00, 0x10000), 0x1F600]:
        letter = chr(number)
        controls = unicodedata.category(letter) in ("Cc", "Zl", "Zp") or number in turning
        assert (printable(letter) != letter) == (controls and letter != "\n"), hex(number)


def test_escapes_are_those_of_python():
    assert printable("a\x1b[31mb\x07\x7f\x9b\t\u202e Ω é\n") == r"a\x1b[31mb\x07\x7f\x9b\x09\u202e Ω é" + "\n"


def test_a_line_stays_a_line(capsys):
    say("board A-B\nboard C-D: all is well\r\x1b[A")
    put("two\nlines\x1b[2J")
    out, err = capsys.readouterr()
    assert err == "board A-B\\nboard C-D: all is well\\x0d\\x1b[A\n" and out == "two\nlines\\x1b[2J\n"
