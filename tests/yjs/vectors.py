"""Updates as npm's yjs 13.6.33 has written them, of one document.

Client 5 inserts "hi" into the text `t`, and "!" behind it, deletes the "i", and sets `k` of the map
`m` to 7.
"""


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text)


HI = _bytes("01 01 05 00 04 01 01 74 02 68 69 00")
MARK = _bytes("01 01 05 02 84 05 01 01 21 00")
DELETE = _bytes("00 01 05 01 01 01")
SET = _bytes("01 01 05 03 28 01 01 6d 01 6b 01 7d 07 00")
ALL = [HI, MARK, DELETE, SET]
#: All of them, and the first and the last, merged by Yjs.
MERGED = _bytes(
    "01 03 05 00 04 01 01 74 02 68 69 84 05 01 01 21 28 01 01 6d 01 6b 01 7d 07 01 05 01 01 01"
)
WITH_GAP = _bytes("01 03 05 00 04 01 01 74 02 68 69 0a 01 28 01 01 6d 01 6b 01 7d 07 00")
#: "😀", by client 5 at clock 4, before the "h".
EMOJI = _bytes("01 01 05 04 44 05 00 04 f0 9f 98 80 00")
