"""Parquet files with every knob that pyarrow has, and what it reads from them."""

import base64
import datetime
import decimal
import os
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as encryption

from canonical import table_of

ROWS = 400
EPOCH = datetime.datetime(1970, 1, 1)


def nullable(source, values):
    return [None if source.random() < 0.2 else value for value in values]


def columns():
    source = random.Random(7)
    pick = lambda make: nullable(source, [make(i) for i in range(ROWS)])
    digits = lambda p: source.randrange(-(10**p) + 1, 10**p)
    number = lambda p, s: decimal.Decimal(digits(source.randint(1, p))).scaleb(-s, decimal.Context(prec=40))
    instant = lambda i: EPOCH + datetime.timedelta(microseconds=source.randrange(-(10**15), 2 * 10**15))
    whole = lambda i: instant(i).replace(microsecond=0)
    ints = lambda: None if source.random() < 0.1 else source.choice([[], [1], [None, 2], list(range(9))])
    return {
        "flag": (pa.bool_(), pick(lambda i: i % 3 == 0)),
        "i8": (pa.int8(), pick(lambda i: source.randint(-128, 127))),
        "i16": (pa.int16(), pick(lambda i: source.randint(-(2**15), 2**15 - 1))),
        "i32": (pa.int32(), pick(lambda i: source.randint(-(2**31), 2**31 - 1))),
        "i64": (pa.int64(), pick(lambda i: source.choice([0, 1, -(2**63), 2**63 - 1, source.randint(-(2**60), 2**60)]))),
        "rising": (pa.int64(), [i * 1000 for i in range(ROWS)]),
        "u32": (pa.uint32(), pick(lambda i: source.randint(0, 2**32 - 1))),
        "f32": (pa.float32(), pick(lambda i: source.choice([0.0, -0.0, 0.5, float("nan"), float("inf"), -1.25e-30]))),
        "f64": (pa.float64(), pick(lambda i: source.choice([0.1, -0.0, float("-inf"), source.random() * 1e200]))),
        "d5": (pa.decimal128(5, 2), pick(lambda i: number(5, 2))),
        "d15": (pa.decimal128(15, 0), pick(lambda i: number(15, 0))),
        "d18": (pa.decimal128(18, 18), pick(lambda i: number(18, 18))),
        "d38": (pa.decimal128(38, 10), pick(lambda i: number(38, 10))),
        "few": (pa.string(), pick(lambda i: f"value {i % 5}")),
        "many": (pa.string(), pick(lambda i: f"é{i}" * source.randint(0, 9))),
        "prefixed": (pa.string(), pick(lambda i: f"a long common beginning {i:06d}")),
        "raw": (pa.binary(), pick(lambda i: source.randbytes(source.randint(0, 20)))),
        "fixed": (pa.binary(7), pick(lambda i: source.randbytes(7))),
        "day": (pa.date32(), pick(lambda i: datetime.date(1, 1, 1) + datetime.timedelta(days=source.randrange(3_000_000)))),
        "at": (pa.timestamp("us", "UTC"), pick(instant)),
        "clock": (pa.timestamp("us"), pick(instant)),
        "millis": (pa.timestamp("ms", "UTC"), pick(whole)),
        "nanos": (pa.timestamp("ns"), pick(instant)),
        "ints": (pa.list_(pa.int32()), pick(lambda i: ints())),
        "lists": (pa.list_(pa.list_(pa.string())), pick(lambda i: [None, [], ["a", None], ["b" * (i % 4)]][: i % 5])),
        "struct": (
            pa.struct([("a", pa.int64()), ("b", pa.struct([("c", pa.string()), ("d", pa.decimal128(20, 3))]))]),
            pick(lambda i: {"a": i, "b": None if i % 7 == 0 else {"c": None if i % 2 else "c", "d": number(20, 3)}}),
        ),
        "map": (pa.map_(pa.string(), pa.int32()), pick(lambda i: [(f"k{k}", None if k == 1 else i) for k in range(i % 4)])),
        "structs": (
            pa.map_(pa.int32(), pa.list_(pa.struct([("x", pa.timestamp("us", "UTC")), ("y", pa.bool_())]))),
            pick(lambda i: [(k, [{"x": instant(i), "y": None}, None][: i % 3]) for k in range(i % 3)]),
        ),
        "all_null": (pa.string(), [None] * ROWS),
        "required": (pa.int32(), list(range(ROWS))),
    }


def base():
    made = columns()
    fields = [pa.field(name, type, nullable=name != "required") for name, (type, _) in made.items()]
    arrays = [pa.array(values, type) for type, values in made.values()]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def with_field_ids(table):
    fields = [f.with_metadata({"PARQUET:field_id": str(100 + i)}) for i, f in enumerate(table.schema)]
    return table.cast(pa.schema(fields))


INTEGERS = ["i8", "i16", "i32", "i64", "rising", "u32", "day", "at", "clock", "millis", "nanos", "required"]
TEXTS = ["few", "many", "prefixed", "raw", "all_null"]


def encoded(encoding, names):
    return {"use_dictionary": False, "column_encoding": {name: encoding for name in names}}


KNOBS = {
    "as it comes": {},
    **{codec: {"compression": codec} for codec in ("none", "snappy", "gzip", "brotli", "lz4", "zstd")},
    **{
        f"pages of version 2, {codec}": {"data_page_version": "2.0", "compression": codec}
        for codec in ("none", "snappy", "gzip", "brotli", "lz4", "zstd")
    },
    "no dictionaries": {"use_dictionary": False},
    "dictionaries that run over": {"dictionary_pagesize_limit": 200, "data_page_size": 500},
    "the same in pages of version 2": {"dictionary_pagesize_limit": 200, "data_page_size": 500, "data_page_version": "2.0"},
    "small pages and groups": {"data_page_size": 300, "write_batch_size": 16, "row_group_size": 70},
    "page indexes and checksums": {"write_page_index": True, "write_page_checksum": True, "data_page_size": 500},
    "no statistics": {"write_statistics": False},
    "format version 1": {"version": "1.0"},
    "format version 2.4": {"version": "2.4"},
    "int96": {"use_deprecated_int96_timestamps": True},
    "milliseconds": {"coerce_timestamps": "ms", "allow_truncated_timestamps": True},
    "decimals as integers": {"store_decimal_as_integer": True},
    "decimals as integers without dictionaries": {"store_decimal_as_integer": True, "use_dictionary": False},
    "other names in lists": {"use_compliant_nested_type": False},
    "no Arrow schema": {"store_schema": False},
    "delta binary packed": encoded("DELTA_BINARY_PACKED", INTEGERS),
    "delta lengths": encoded("DELTA_LENGTH_BYTE_ARRAY", TEXTS),
    "delta texts": encoded("DELTA_BYTE_ARRAY", [*TEXTS, "fixed", "d5", "d15", "d18", "d38"]),
    "split bytes": encoded("BYTE_STREAM_SPLIT", ["f32", "f64", "i32", "i64", "fixed", "d5", "d38"]),
    "delta encodings in pages of version 2": {
        **encoded("DELTA_BINARY_PACKED", INTEGERS),
        "data_page_version": "2.0",
        "compression": "zstd",
        "data_page_size": 500,
    },
}


def parquet_files(folder):
    """Writes the files; gives for each its name, its size and its content in canonical form."""
    table = base()
    tables = {name: (table, options) for name, options in KNOBS.items()}
    # What is nested isn't cast to microseconds below.
    tables["milliseconds"] = (table.drop_columns(["structs"]), KNOBS["milliseconds"])
    tables["field ids"] = (with_field_ids(table), {})
    tables["no rows"] = (table.slice(0, 0), {})
    tables["one row"] = (table.slice(3, 1), {})
    answers = []
    for number, (name, (rows, options)) in enumerate(tables.items()):
        path = os.path.join(folder, f"{number}.parquet")
        pq.write_table(rows, path, **options)
        answers.append({"name": name, "file": f"{number}.parquet", "rows": table_of(micros(pq.read_table(path, coerce_int96_timestamp_unit="us")))["rows"]})
    empty = os.path.join(folder, "empty.parquet")
    pq.ParquetWriter(empty, table.schema).close()
    answers.append({"name": "no row groups", "file": "empty.parquet", "rows": []})
    return answers


class Keys(encryption.KmsClient):
    """Keeps keys with the files: for tests only."""

    def __init__(self, _config):
        super().__init__()

    def wrap_key(self, key_bytes, master_key_identifier):
        return base64.b64encode(key_bytes)

    def unwrap_key(self, wrapped_key, master_key_identifier):
        return base64.b64decode(wrapped_key)


def encrypted_files(folder):
    """Writes a file with an encrypted footer, and one of which only a column is encrypted; gives their names."""
    factory = encryption.CryptoFactory(Keys)
    names = []
    for plaintext_footer in (False, True):
        config = encryption.EncryptionConfiguration(
            footer_key="footer", column_keys={"column": ["i32"]}, plaintext_footer=plaintext_footer
        )
        properties = factory.file_encryption_properties(encryption.KmsConnectionConfig(), config)
        names.append(f"encrypted-{plaintext_footer}.parquet")
        table = base().select(["i32", "few"])
        pq.write_table(table, os.path.join(folder, names[-1]), encryption_properties=properties)
    return names


def micros(table):
    """Timestamps of every unit in microseconds, as Delta has them."""
    for i, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type) and field.type.unit != "us":
            type = pa.timestamp("us", field.type.tz)
            table = table.set_column(i, pa.field(field.name, type), table.column(i).cast(type))
    return table
