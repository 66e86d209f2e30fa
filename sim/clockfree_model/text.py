"""Text of files as people have them: by the bytes, whatever program wrote them."""

import codecs

MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)


def decoded(raw: bytes) -> tuple[str, str]:
    """The text of a file's bytes, and the name of its encoding.

    By a byte order mark, else by its zeros UTF-16, else UTF-8, else Windows-1252, which has all letters of Latin-1.

    Raises
    ------
    ValueError
        None of these.
    """
    for mark, codec, name in MARKS:
        if raw.startswith(mark):
            return raw.decode(codec), name
    if raw and b"\0" in raw[:400]:
        even, odd = raw[0:400:2].count(0), raw[1:400:2].count(0)
        if len(raw) % 2 or min(even, odd) > 0.1 * max(even, odd):
            raise ValueError("expected text, got zero bytes")
        return raw.decode("utf-16-le" if odd > even else "utf-16-be"), "UTF-16"
    try:
        return raw.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError:
        return raw.decode("cp1252"), "Latin-1"
