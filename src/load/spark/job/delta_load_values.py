"""Values of JSON as columns of a table take them: the same values, and the same faults, as in delta-table."""

import base64
import json
import math
import re
import struct
from decimal import Decimal

MARK = re.compile("\ufdd0|\\\\ufdd0", re.IGNORECASE)
LONG_NUMBER = re.compile(r"[0-9.]{16}")
INDEX = re.compile(r"0|[1-9][0-9]{0,9}")
BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
DECIMAL_TEXT = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,4}))?")
DATE_TEXT = re.compile(r"([+-]?[0-9]{4,7})-([0-9]{2})-([0-9]{2})")
TIME_TEXT = re.compile(
    r"([+-]?[0-9]{1,7})-([0-9]{1,2})-([0-9]{1,2})[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]+))?)? ?(Z|UTC|[+-][0-9]{2}(?::?[0-9]{2}(?::?[0-9]{2})?)?)?",
    re.IGNORECASE,
)
SURROGATE = re.compile("[\ud800-\udfff]")
SAFE = 2**53 - 1
RANGES = {"byte": 2**7, "short": 2**15, "integer": 2**31, "long": 2**63}
NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
MAX_DEPTH = 1000
HINTS = {
    "timestamp": 'a text must name its zone and have at most six digits, as in "2024-01-31T12:00:00.123456Z"',
    "timestamp_ntz": 'a text must have no zone and at most six digits, as in "2024-01-31T12:00:00.123456"',
}


class Fault(Exception):
    """Why a record isn't loaded."""

    def __init__(self, code, reason, column=None):
        super().__init__(reason)
        self.code, self.reason, self.column = code, reason, column


class JsonNumber(str):
    """The text of a number with a point or an exponent, or of one that has more digits than a double."""


def nests_too_deep(text):
    if len(text) <= 2048:
        return False
    depth = 0
    for token in re.finditer(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]|[\]}]', text, re.DOTALL):
        first = token.group()[0]
        depth += 1 if first in "[{" else -1 if first in "]}" else 0
        if depth > MAX_DEPTH:
            return True
    return False


def parse_json(text):
    """Raises ValueError, and RecursionError."""
    is_long = LONG_NUMBER.search(text) is not None
    if is_long and MARK.search(text):
        json.loads(text, parse_constant=no_constant)
        raise ValueError("it holds U+FDD0, which is no character")

    def whole(digits):
        value = int(digits) if len(digits) < 4000 else None
        if value is not None and -SAFE <= value <= SAFE:
            return -0.0 if digits == "-0" else value
        return JsonNumber(digits) if is_long else float(digits)

    return json.loads(text, parse_int=whole, parse_float=JsonNumber, parse_constant=no_constant)


def no_constant(name):
    raise ValueError(f"unexpected {name}")


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_text(value):
    return isinstance(value, str) and not isinstance(value, JsonNumber)


def entries_in_order(value):
    """An object's members in the order that JavaScript has them: those that look like an index first."""
    if not any(INDEX.fullmatch(key) for key in value):
        return list(value.items())
    indices = [key for key in value if INDEX.fullmatch(key) and int(key) < 2**32 - 1]
    return [(key, value[key]) for key in sorted(indices, key=int)] + [one for one in value.items() if one[0] not in indices]


def number_text(value):
    """A number as JavaScript writes it."""
    if isinstance(value, int):
        return str(value)
    if math.isinf(value) or math.isnan(value):
        return "null"
    if value == 0:
        return "0"
    if 1e-7 <= abs(value) < 1e21:
        text = format(Decimal(repr(value)), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa, _, exponent = repr(value).partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent):+d}"


def text_json(text):
    return SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))


def json_text(value):
    """JSON of a parsed value; numbers keep their digits."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, JsonNumber):
        return str(value)
    if isinstance(value, str):
        return text_json(value)
    if isinstance(value, list):
        return f"[{','.join(map(json_text, value))}]"
    if isinstance(value, dict):
        return json_of_entries(entries_in_order(value))
    return number_text(value)


def json_of_entries(entries):
    return "{" + ",".join(f"{text_json(name)}:{json_text(value)}" for name, value in entries) + "}"


def describe(value):
    if isinstance(value, JsonNumber):
        return f"the number {number_text(float(value))}"
    if isinstance(value, str):
        return text_json(value[:60] + "…" if len(value) > 60 else value)
    if isinstance(value, bool):
        return f"the boolean {json.dumps(value)}"
    if isinstance(value, list):
        return "an array"
    return "an object (Object)" if isinstance(value, dict) else f"the number {number_text(value)}"


def bad_value(column, value, kind, why="", shown=None):
    name = kind if isinstance(kind, str) else kind["type"]
    return Fault("TYPE", f'column "{column}": {shown or describe(value)} is no value of type {name}{why and ": " + why}.', column)


def refused(column, kind, value, why):
    """For what JSON itself can't mean for a column."""
    is_beyond = isinstance(value, (float, JsonNumber)) and math.isinf(float(value))
    shown = ('"-Infinity"' if float(value) < 0 else '"Infinity"') if is_beyond else json_text(value)[:60]
    return Fault("TYPE", f'column "{column}": {shown} is no value of type {kind}; {why}.', column)


def unscaled(text, scale):
    """The unscaled integer of a decimal text, or None."""
    found = DECIMAL_TEXT.fullmatch(text) if len(text) <= 2000 else None
    if found is None or not (found[2] or found[3]):
        return None
    fraction = found[3] or ""
    value = int((found[2] or "") + fraction) * (-1 if found[1] == "-" else 1)
    missing = scale - (len(fraction) - int(found[4] or 0))
    if missing >= 0:
        return value * 10**missing
    quotient, rest = divmod(value, 10**-missing)
    return quotient if rest == 0 else None


def decimal_of(kind):
    found = re.fullmatch(r"decimal\(\s*(\d+)\s*,\s*(-?\d+)\s*\)", kind)
    return found and (int(found[1]), int(found[2]))


def days_of(year, month, day):
    """Days since 1970-01-01, or None."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    lengths = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    if not 1 <= month <= 12 or not 1 <= day <= lengths[month - 1]:
        return None
    y = year - (month <= 2)
    era = y // 400
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    of_era = (y - era * 400) * 365 + (y - era * 400) // 4 - (y - era * 400) // 100 + of_year
    return era * 146_097 + of_era - 719_468


def date_value(value):
    found = DATE_TEXT.fullmatch(value) if is_text(value) else None
    days = found and days_of(int(found[1]), int(found[2]), int(found[3]))
    return days if days is not None and -(2**31) <= days < 2**31 else None


def micros_of(value, is_zoned):
    found = TIME_TEXT.fullmatch(value) if is_text(value) else None
    days = found and days_of(int(found[1]), int(found[2]), int(found[3]))
    if days is None:
        return None
    hour, minute, second = int(found[4]), int(found[5]), int(found[6] or 0)
    fraction, zone = found[7] or "", found[8]
    if hour > 23 or minute > 59 or second > 59 or fraction[6:].strip("0") or (zone is not None) != is_zoned:
        return None
    offset = 0
    if zone is not None and zone.upper() not in ("Z", "UTC"):
        digits = zone[1:].replace(":", "")
        parts = [int(digits[at : at + 2]) for at in range(0, len(digits), 2)] + [0, 0]
        if parts[0] > 23 or parts[1] > 59 or parts[2] > 59:
            return None
        offset = (parts[0] * 3600 + parts[1] * 60 + parts[2]) * (-1 if zone[0] == "-" else 1)
    micros = days * 86_400_000_000 + (hour * 3600 + minute * 60 + second - offset) * 1_000_000 + int(fraction[:6].ljust(6, "0"))
    return micros if -(2**63) <= micros < 2**63 else None


def whole_value(kind, column, value):
    given, limit = value, RANGES[kind]
    if isinstance(value, JsonNumber):
        exact = unscaled(value, 0) if len(value) >= 16 else None
        value = float(value) if exact is None else exact
    if is_number(value):
        number = int(value) if isinstance(value, float) and value.is_integer() else value
        is_safe = not isinstance(value, float) or kind != "long" or abs(value) <= SAFE
        if isinstance(number, int) and -limit <= number < limit and is_safe:
            return number
        if isinstance(value, int) and isinstance(given, JsonNumber):
            raise bad_value(column, given, kind, shown=f"{value}n")
        why = "numbers must be whole and at most 2^53 - 1 in size; beyond that give a bigint"
        raise bad_value(column, given, kind, why if kind == "long" else "")
    raise bad_value(column, given, kind)


def float_value(kind, column, value):
    if is_text(value) and value in NOT_FINITE:
        return NOT_FINITE[value]
    number = float(value) if isinstance(value, JsonNumber) else value
    if is_number(number):
        if math.isinf(number):
            raise refused(column, kind, value, "its size is beyond the largest one")
        try:
            return struct.unpack("<f", struct.pack("<f", number))[0] if kind == "float" else float(number)
        except OverflowError:
            pass
    raise bad_value(column, value, kind)


def binary_value(column, value):
    if is_text(value) and BASE64.fullmatch(value):
        return base64.b64decode(value)
    raise refused(column, "binary", value, "give its base64 text")


def decimal_value(kind, column, value):
    precision, scale = decimal_of(kind)
    text = value if isinstance(value, str) else number_text(value) if is_number(value) else None
    found = None if text is None or is_text(value) and len(text) > 100 else unscaled(text, scale)
    if found is None or abs(found) >= 10**precision:
        raise bad_value(column, value, kind)
    digits = tuple(map(int, str(abs(found))))
    return Decimal((int(found < 0), digits, -scale))


def converter(kind, column, takes_any=False):
    """
    Makes a value of a column of what JSON has, null included; raises a Fault. With `takes_any` a column of texts takes other values
    as their JSON.
    """
    if isinstance(kind, str):
        made = primitive(kind, column)
        if kind == "string" and takes_any:
            as_text = made
            made = lambda value: as_text(value if is_text(value) else json_text(value))
    else:
        made = {"struct": struct_value, "array": array_value, "map": map_value}[kind["type"]](kind, column, takes_any)
    return lambda value: None if value is None else made(value)


def primitive(kind, column):
    if kind in RANGES:
        return lambda value: whole_value(kind, column, value)
    if kind in ("float", "double"):
        return lambda value: float_value(kind, column, value)
    if kind == "binary":
        return lambda value: binary_value(column, value)

    def made(value):
        if kind == "string" and is_text(value):
            if SURROGATE.search(value):
                raise bad_value(column, value, kind, "it has half of a surrogate pair")
            return value
        if kind == "boolean" and isinstance(value, bool):
            return value
        found = None
        if kind == "date":
            found = date_value(value)
        elif kind in HINTS:
            found = micros_of(value, kind == "timestamp")
        elif kind.startswith("decimal"):
            return decimal_value(kind, column, value)
        if found is None:
            raise bad_value(column, value, kind, HINTS.get(kind, "") if is_text(value) else "")
        return found

    return made


def array_value(kind, column, takes_any):
    element = converter(kind["elementType"], f"{column}.element", takes_any)

    def made(value):
        if not isinstance(value, list):
            raise bad_value(column, value, kind)
        return [element(one) for one in value]

    return made


def map_value(kind, column, takes_any):
    key_of = converter(kind["keyType"], f"{column}.key", takes_any)
    value_of = converter(kind["valueType"], f"{column}.value", takes_any)

    def made(value):
        if isinstance(value, dict):
            pairs = entries_in_order(value)
        elif isinstance(value, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in value):
            pairs = value
        else:
            raise bad_value(column, value, kind)
        found = [(key_of(key), value_of(item)) for key, item in pairs]
        keys = [repr(key) for key, _ in found]
        if len(set(keys)) < len(keys):
            key = next(key for at, (key, _) in enumerate(found) if keys[at] in keys[:at])
            raise bad_value(column, value, kind, f"it has the key {key} twice")
        return found

    return made


def struct_value(kind, column, takes_any):
    fields = {field["name"]: converter(field["type"], f"{column}.{field['name']}", takes_any) for field in kind["fields"]}

    def made(value):
        if not isinstance(value, dict):
            raise bad_value(column, value, kind)
        check_keys(value, fields, f"{column}.")
        return {name: convert(value.get(name)) for name, convert in fields.items()}

    return made


def check_keys(value, names, prefix):
    others = [prefix + key for key, _ in entries_in_order(value) if key not in names]
    if others:
        what = "a column" if len(others) == 1 else "columns"
        reason = f"has {what} that the table lacks: {', '.join(others)}. Remove them from the rows, or add them to the table first."
        raise Fault("UNKNOWN_COLUMN", reason, others[0])


def without_nulls(value, kind):
    """The value without nulls of members that its type lacks: they say no more than members that aren't there."""
    if isinstance(kind, str) or value is None:
        return value
    if kind["type"] == "array" and isinstance(value, list):
        return [without_nulls(one, kind["elementType"]) for one in value]
    if kind["type"] != "struct" or not isinstance(value, dict):
        return value
    kinds = {field["name"]: field["type"] for field in kind["fields"]}
    return {name: without_nulls(one, kinds[name]) if name in kinds else one for name, one in value.items() if one is not None or name in kinds}


def early_fault(kind, column, value):
    """Raises the Fault that comes before a row's others: of what JSON itself can't mean."""
    if kind in ("float", "double") and (is_number(value) or isinstance(value, JsonNumber)) and math.isinf(float(value)):
        raise refused(column, kind, value, "its size is beyond the largest one")
    if kind == "binary" and value is not None:
        binary_value(column, value)
    if isinstance(kind, str):
        return
    if kind["type"] == "struct" and isinstance(value, dict):
        for field in kind["fields"]:
            early_fault(field["type"], f"{column}.{field['name']}", value.get(field["name"]))
    elif kind["type"] == "array" and isinstance(value, list):
        for one in value:
            early_fault(kind["elementType"], f"{column}.element", one)
    elif kind["type"] == "map":
        pairs = entries_in_order(value) if isinstance(value, dict) else value if isinstance(value, list) else []
        for pair in pairs:
            if isinstance(pair, (list, tuple)) and len(pair) == 2:
                early_fault(kind["keyType"], f"{column}.key", pair[0])
                early_fault(kind["valueType"], f"{column}.value", pair[1])


def check_nulls(kind, nullable, column, value):
    """Raises a Fault for a null where the table allows none."""
    if value is None:
        if not nullable:
            raise Fault("CONSTRAINT", f'has no value in column "{column}", which allows no nulls.', column)
        return
    if isinstance(kind, str):
        return
    if kind["type"] == "struct":
        for field in kind["fields"]:
            check_nulls(field["type"], field["nullable"], f"{column}.{field['name']}", value[field["name"]])
    elif kind["type"] == "array":
        for one in value:
            check_nulls(kind["elementType"], kind["containsNull"], f"{column}.element", one)
    else:
        for key, _ in value:
            check_nulls(kind["keyType"], False, f"{column}.key", key)
        for _, one in value:
            check_nulls(kind["valueType"], kind["valueContainsNull"], f"{column}.value", one)
