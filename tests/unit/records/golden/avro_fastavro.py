"""Writes avro_fastavro.jsonl: values encoded by fastavro 1.13.1, and what their fields are as PostgreSQL's text.

    pip install fastavro==1.13.1 && python avro_fastavro.py > avro_fastavro.jsonl

A case is a line. A field is null, a text, or {"json": ...} for what is compared as JSON.
"""

import decimal
import io
import json
import random
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import fastavro

random.seed(7)
decimal.getcontext().prec = 100
cases = []


def case(name, schema, paths, values):
    """values: pairs of a value and its fields."""
    parsed = fastavro.parse_schema(json.loads(json.dumps(schema)))
    written = []
    for value, fields in values:
        out = io.BytesIO()
        fastavro.schemaless_writer(out, parsed, value)
        written.append({"bytes": out.getvalue().hex(), "fields": fields})
    cases.append({"name": name, "schema": schema, "paths": paths, "values": written})


def record(name, **fields):
    return {
        "type": "record",
        "name": name,
        "fields": [{"name": key, "type": kind} for key, kind in fields.items()],
    }


def logical(kind, name, **more):
    return {"type": kind, "logicalType": name, **more}


def one(name, kind, values):
    case(name, record("R", before="string", x=kind, after="long"), [["x"], ["after"]], [
        ({"before": "b", "x": value, "after": 77}, [text, "77"]) for value, text in values
    ])


one("int", "int", [(v, str(v)) for v in [0, -1, 1, 63, 64, -64, -65, 2**31 - 1, -(2**31)]])
one("long", "long", [(v, str(v)) for v in [0, -1, 2**53, 2**63 - 1, -(2**63), 10**18]])
one("boolean", "boolean", [(True, "true"), (False, "false")])
one("double", "double", [
    (0.1, "0.1"), (-0.0, "-0"), (1e21, "1e+21"), (1e-7, "1e-7"), (5e-324, "5e-324"),
    (float("nan"), "NaN"), (float("inf"), "Infinity"), (float("-inf"), "-Infinity"),
    (1.7976931348623157e308, "1.7976931348623157e+308"), (123456789.25, "123456789.25"),
])
one("float", "float", [(0.5, "0.5"), (1 / 3, "0.33333334"), (3.4028234663852886e38, "3.4028235e+38")])
texts = ["", "plain", "a,b", 'say "x"', "två\nrader", "\U0001f600", "\\.", "x" * 300]
one("string", "string", [(v, v) for v in texts])
one("bytes", "bytes", [(b"", "\\x"), (bytes(range(256)), "\\x" + bytes(range(256)).hex())])
one("fixed", {"type": "fixed", "name": "F", "size": 5}, [(b"\x00\x01\xfe\xff\x10", "\\x0001feff10")])
one("enum", {"type": "enum", "name": "E", "symbols": ["NEW", "PAID", "SENT"]},
    [("NEW", "NEW"), ("SENT", "SENT")])
one("null", "null", [(None, None)])

days = [date(1, 1, 1), date(1969, 12, 31), date(1970, 1, 1), date(2024, 2, 29), date(9999, 12, 31)]
days += [date.fromordinal(random.randrange(1, 3652059)) for _ in range(300)]
one("date", logical("int", "date"), [(d, d.isoformat()) for d in days])
times = [time(0, 0, 0), time(23, 59, 59, 999000), time(12, 34, 56, 7000)]
one("time-millis", logical("int", "time-millis"), [(t, t.isoformat("milliseconds")) for t in times])
times = [time(0, 0, 0), time(23, 59, 59, 999999), time(12, 34, 56, 7)]
one("time-micros", logical("long", "time-micros"), [(t, t.isoformat("microseconds")) for t in times])

first = datetime(1, 1, 1)
span = int((datetime(9999, 12, 31, 23, 59, 59) - first).total_seconds())
moments = [datetime(1970, 1, 1), datetime(1969, 12, 31, 23, 59, 59, 999000), datetime(2024, 2, 29)]
moments += [first + timedelta(seconds=random.randrange(span), milliseconds=random.randrange(1000))
            for _ in range(300)]
utc = [m.replace(tzinfo=timezone.utc) for m in moments]
one("timestamp-millis", logical("long", "timestamp-millis"),
    [(u, m.isoformat(timespec="milliseconds") + "Z") for u, m in zip(utc, moments)])
one("local-timestamp-millis", logical("long", "local-timestamp-millis"),
    [(m, m.isoformat(timespec="milliseconds")) for m in moments])
moments = [m + timedelta(microseconds=random.randrange(1000)) for m in moments]
utc = [m.replace(tzinfo=timezone.utc) for m in moments]
one("timestamp-micros", logical("long", "timestamp-micros"),
    [(u, m.isoformat(timespec="microseconds") + "Z") for u, m in zip(utc, moments)])
one("local-timestamp-micros", logical("long", "local-timestamp-micros"),
    [(m, m.isoformat(timespec="microseconds")) for m in moments])

uuid = UUID("12345678-9abc-def0-1234-56789abcdef0")
one("uuid", logical("string", "uuid"), [(uuid, str(uuid))])


def decimals(scale, digits):
    unscaled = [0, 1, -1, 127, 128, -128, -129, 255, 256, 10**digits - 1, 1 - 10**digits]
    unscaled += [random.randrange(-(10**n), 10**n) for n in range(1, digits + 1)]
    return [(Decimal(n).scaleb(-scale), f"{Decimal(n).scaleb(-scale):f}") for n in unscaled]


for scale, digits in [(0, 9), (2, 10), (9, 18), (10, 38), (38, 38), (20, 77)]:
    one(f"decimal({digits},{scale})",
        logical("bytes", "decimal", precision=digits, scale=scale), decimals(scale, digits))
one("decimal in a fixed",
    {"type": "fixed", "name": "D", "size": 17, **logical("fixed", "decimal", precision=38, scale=7)},
    decimals(7, 38))

one("nullable", ["null", "string"], [(None, None), ("", ""), ("x", "x")])
one("nullable, null last", ["long", "null"], [(None, None), (5, "5")])
one("union", ["null", "string", "long", "boolean"],
    [(None, None), ("a\"b", {"json": "a\"b"}), (5, {"json": 5}), (True, {"json": True})])
one("array", {"type": "array", "items": "int"},
    [([], {"json": []}), ([1, -2, 300], {"json": [1, -2, 300]})])
one("map", {"type": "map", "values": ["null", "string"]},
    [({}, {"json": {}}), ({"k\"": None, "é": "ü\t"}, {"json": {"k\"": None, "é": "ü\t"}})])

inner = record("Inner", day=logical("int", "date"), price=logical("bytes", "decimal", precision=9, scale=2),
               raw="bytes", note=["null", "string"])
case("records in records",
     record("Outer", list={"type": "array", "items": inner}, one="Inner", index={"type": "map", "values": "Inner"}),
     [["one", "day"], ["list", 1, "price"], ["index", "b", "note"], ["index", "none"], ["list", 9], ["one"], ["list"]],
     [({
         "list": [{"day": date(2024, 1, d), "price": Decimal("1.50") * d, "raw": bytes([d]), "note": None}
                  for d in (1, 2, 3)],
         "one": {"day": date(2020, 5, 5), "price": Decimal("-0.07"), "raw": b"", "note": "n"},
         "index": {k: {"day": date(2021, 1, 1), "price": Decimal(1), "raw": b"", "note": k} for k in "abc"},
     }, ["2020-05-05", "3.00", "b", None, None,
         {"json": {"day": "2020-05-05", "price": -0.07, "raw": "\\x", "note": "n"}},
         {"json": [{"day": f"2024-01-0{d}", "price": 1.5 * d, "raw": f"\\x0{d}", "note": None} for d in (1, 2, 3)]}])])

tree = record("Tree", value="int", children={"type": "array", "items": "Tree"}, left=["null", "Tree"])
leaf = lambda n: {"value": n, "children": [], "left": None}  # noqa: E731
case("a recursive schema", tree,
     [["value"], ["children", 1, "left", "value"], ["left", "children", 0], ["children"]],
     [({"value": 1, "children": [leaf(2), {"value": 3, "children": [leaf(4)], "left": leaf(5)}],
        "left": {"value": 6, "children": [leaf(7)], "left": None}},
       ["1", "5", {"json": leaf(7)},
        {"json": [leaf(2), {"value": 3, "children": [leaf(4)], "left": leaf(5)}]}]),
      (leaf(8), ["8", None, None, {"json": []}])])

for number, extra in enumerate([{}, {"city": ["null", "string"]}, {"city": ["null", "string"], "zip": "int"}], 1):
    schema = record("Order", id="long", **extra, amount=logical("bytes", "decimal", precision=9, scale=number))
    values = []
    for i in range(20):
        city, zip_code = random.choice([None, "Kyiv", "Åre"]), random.randrange(99999)
        amount = Decimal(random.randrange(-99999, 99999)).scaleb(-number)
        values.append(({"id": i, "city": city, "zip": zip_code, "amount": amount},
                       [str(i), city if number > 1 else None, str(zip_code) if number > 2 else None,
                        f"{amount:f}"]))
    case(f"version {number}", schema, [["id"], ["city"], ["zip"], ["amount"]], values)

for written in cases:
    print(json.dumps(written, ensure_ascii=False))
