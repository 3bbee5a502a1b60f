"""What a job keeps of the files that it is done with: entries of 48 bytes each."""

import hashlib

from delta_load_bytes import sha256

ENTRY = 48


def content_hash(found):
    return sha256(f"{found['head']} {found['tail']}".encode())[:16]


def key_of(url):
    return hashlib.sha256(url.encode()).digest()[:12]


def entry_of(url, identity, content, records, lines):
    six = lambda number: number.to_bytes(6, "big", signed=number < 0)
    times = identity["modifiedMs"]
    return key_of(url) + six(identity["sizeBytes"]) + six(times) + bytes(4) + bytes.fromhex(content) + six(records) + six(lines)


def entries_of(data):
    return {data[at : at + 12]: data[at : at + ENTRY] for at in range(0, len(data), ENTRY)}
