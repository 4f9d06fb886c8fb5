"""Makes protobuf.jsonl, a message a line: values written by protobuf's own runtime, and the rows that it reads of them.

    pip install protobuf==7.36.2 grpcio-tools==1.85.1
    python generate.py [values a message, seed, file]

A case is a message's bytes (hex) and what each path is: null, {"t": text}, {"f": a number's text, of 4 or 8
bytes}, {"j": JSON text}. "row": null: the runtime rejects the bytes. Cases "mutated" are valid values with
flipped bits or cut short.
"""
import importlib, json, math, os, random, struct, sys, tempfile

from google.protobuf import descriptor as d, message, unknown_fields
from google.protobuf.internal import containers
from grpc_tools import protoc

HERE = os.path.dirname(os.path.abspath(__file__))
FILES = ["shop/common.proto", "shop/order.proto", "shop/legacy.proto", "shop/edition.proto"]
F = d.FieldDescriptor


def modules():
    out = tempfile.mkdtemp()
    known = os.path.join(os.path.dirname(protoc.__file__), "_proto")
    assert protoc.main(["", f"-I{HERE}", f"-I{known}", f"--python_out={out}", *FILES]) == 0
    sys.path.insert(0, out)
    return [importlib.import_module(f[:-6].replace("/", ".") + "_pb2") for f in FILES]


COMMON, ORDER, LEGACY, EDITION = modules()

# ---- What a reader sees -------------------------------------------------------------------------


def number(x, size):
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "Infinity" if x > 0 else "-Infinity"
    if size == 4:
        for digits in range(1, 10):
            text = "%.*g" % (digits, x)
            if struct.pack("<f", float(text)) == struct.pack("<f", x):
                return text
    return repr(x)


def fraction(nanos, least):
    if nanos == 0 and not least:
        return ""
    if nanos % 1000000 == 0:
        return ".%03d" % (nanos // 1000000)
    return ".%06d" % (nanos // 1000) if nanos % 1000 == 0 else ".%09d" % nanos


class Unreadable(Exception):
    """The row of this cannot be: a text with NUL, a time that no calendar has."""


def timestamp(m, least):
    if not (-62135596800 <= m.seconds < 253402300800 and 0 <= m.nanos < 10**9):
        raise Unreadable()
    days, rest = divmod(m.seconds, 86400)
    import datetime
    day = datetime.date(1970, 1, 1) + datetime.timedelta(days=days)
    clock = "%02d:%02d:%02d" % (rest // 3600, rest // 60 % 60, rest % 60)
    return "%04d-%02d-%02dT%s%sZ" % (day.year, day.month, day.day, clock, fraction(m.nanos, least))


def checked_duration(m):
    if abs(m.seconds) > 315576000000 or abs(m.nanos) >= 10**9 or m.seconds * m.nanos < 0:
        raise Unreadable()
    return "-" if m.seconds < 0 or m.nanos < 0 else "", abs(m.seconds), abs(m.nanos)


def interval(m):
    sign, s, n = checked_duration(m)
    return "%s%02d:%02d:%02d%s" % (sign, s // 3600, s // 60 % 60, s % 60, fraction(n, False))


def text(x):
    # Of proto2, what is not UTF-8 is read as bytes.
    if isinstance(x, bytes) or "\0" in x:
        raise Unreadable()
    return x


def enum_name(field, value):
    found = field.enum_type.values_by_number.get(value)
    return found.name if found else value


def wrapper(desc):
    return desc.file.name == "google/protobuf/wrappers.proto"


class Number(str):
    """A number's text, as it is to stand in JSON."""


def json_value(field, x):
    t = field.type
    if t in (F.TYPE_MESSAGE, F.TYPE_GROUP):
        return json_message(x)
    if t == F.TYPE_ENUM:
        return None if field.enum_type.name == "NullValue" else enum_name(field, x)
    if t in (F.TYPE_DOUBLE, F.TYPE_FLOAT):
        s = number(x, 4 if t == F.TYPE_FLOAT else 8)
        return s if s[-1] in "Ny" else Number(s)
    if t == F.TYPE_BYTES:
        import base64
        return base64.b64encode(x).decode()
    return text(x) if t == F.TYPE_STRING else x


def is_map(field):
    return field.is_repeated and field.message_type and field.message_type.GetOptions().map_entry


def json_map(field, m):
    key, value = field.message_type.fields_by_name["key"], field.message_type.fields_by_name["value"]
    out = {}
    for k in m:
        name = ("true" if k else "false") if isinstance(k, bool) else str(k)
        out[text(name)] = json_value(value, m[k])
    return out


def json_field(field, x):
    if is_map(field):
        return json_map(field, x)
    return [json_value(field, e) for e in x] if field.is_repeated else json_value(field, x)


def json_message(m):
    desc = m.DESCRIPTOR
    name = desc.full_name
    if name == "google.protobuf.Timestamp":
        return timestamp(m, False)
    if name == "google.protobuf.Duration":
        sign, s, n = checked_duration(m)
        return "%s%d%ss" % (sign, s, fraction(n, False))
    if wrapper(desc):
        return json_value(desc.fields[0], m.value)
    if name == "google.protobuf.Struct":
        return json_map(desc.fields[0], m.fields)
    if name == "google.protobuf.ListValue":
        return [json_message(v) for v in m.values]
    if name == "google.protobuf.Value":
        kind = m.WhichOneof("kind")
        return None if kind is None else json_value(desc.fields_by_name[kind], getattr(m, kind))
    if name == "google.protobuf.FieldMask":
        return ",".join(text(p) for p in m.paths)
    out = {}
    for field, x in m.ListFields():
        if not field.is_extension:
            out[field_name(field)] = json_field(field, x)
    return out


def field_name(field):
    return field.name


def dump(x):
    if isinstance(x, Number):
        return str(x)
    if isinstance(x, dict):
        return "{%s}" % ",".join(json.dumps(k, ensure_ascii=False) + ":" + dump(v) for k, v in x.items())
    if isinstance(x, list):
        return "[%s]" % ",".join(dump(v) for v in x)
    return json.dumps(x, ensure_ascii=False)


def leaf(field, x):
    """A field's one value as a row's field."""
    t = field.type
    if t in (F.TYPE_MESSAGE, F.TYPE_GROUP):
        name = field.message_type.full_name
        if name == "google.protobuf.Timestamp":
            return {"t": timestamp(x, True)}
        if name == "google.protobuf.Duration":
            return {"t": interval(x)}
        if wrapper(field.message_type):
            return leaf(field.message_type.fields[0], x.value)
        value = json_message(x)
        return None if name == "google.protobuf.Value" and value is None else {"j": dump(value)}
    if t == F.TYPE_ENUM:
        return {"t": str(enum_name(field, x))}
    if t in (F.TYPE_DOUBLE, F.TYPE_FLOAT):
        return {"f": number(x, 4 if t == F.TYPE_FLOAT else 8)}
    if t == F.TYPE_BOOL:
        return {"t": "true" if x else "false"}
    if t == F.TYPE_BYTES:
        return {"t": "\\x" + x.hex()}
    x = text(x) if t == F.TYPE_STRING else str(x)
    # A line that is just \. would end the data.
    if isinstance(x, str) and any(line == "\\." for line in x.replace("\r", "\n").split("\n")) and "\n" in x:
        raise Unreadable()
    return {"t": x}


def at(m, path):
    """The row's field of a path into a message."""
    if not path:
        return {"j": dump(json_message(m))}
    name, rest = path[0], path[1:]
    desc = m.DESCRIPTOR
    if name in desc.oneofs_by_name and not rest:
        which = m.WhichOneof(name)
        return {"t": which} if which else None
    field = desc.fields_by_name[name]
    x = getattr(m, field.name)
    if field.is_repeated:
        if not rest:
            return {"j": dump(json_field(field, x))}
        if is_map(field):
            kind = field.message_type.fields_by_name["key"].type
            key = rest[0]
            if kind == F.TYPE_BOOL:
                key = key == "true"
            elif kind != F.TYPE_STRING:
                key = int(key)
            if key not in x:
                return None
            field, x = field.message_type.fields_by_name["value"], x[key]
        else:
            if rest[0] >= len(x):
                return None
            x = x[rest[0]]
        rest = rest[1:]
        return at(x, rest) if rest else leaf(field, x)
    if field.has_presence and not m.HasField(field.name):
        if field.has_default_value and field.containing_oneof is None and not rest:
            return leaf(field, x)
        return None
    return at(x, rest) if rest else leaf(field, x)


# ---- Values -------------------------------------------------------------------------------------

TEXTS = ["", "a", "plain text", 'quo"te', "comma, here", "line\nbreak", "\\.", "back\\slash", "äöü€", "\U0001f600 wide",
         "x" * 200, "tab\tand\x01control", "null", "NULL", " padded "]
INTS = {F.TYPE_INT32: (32, 1), F.TYPE_SINT32: (32, 1), F.TYPE_SFIXED32: (32, 1), F.TYPE_INT64: (64, 1), F.TYPE_SINT64: (64, 1),
        F.TYPE_SFIXED64: (64, 1), F.TYPE_UINT32: (32, 0), F.TYPE_FIXED32: (32, 0), F.TYPE_UINT64: (64, 0), F.TYPE_FIXED64: (64, 0)}


def scalar(r, field):
    t = field.type
    if t in INTS:
        bits, signed = INTS[t]
        low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
        return r.choice([low, high, 0, 1, max(low, -1), r.randint(low, high), r.randint(max(low, -200), 200), 127, 128])
    if t in (F.TYPE_DOUBLE, F.TYPE_FLOAT):
        x = r.choice([0.0, -0.0, 1.5, -2.25, 0.1, 1e20, 1e-7, 123456.0, math.inf, -math.inf, math.nan, r.uniform(-1e6, 1e6), 5e-324, 1e300])
        if t == F.TYPE_FLOAT:
            x = r.choice([0.0, -0.0, 1.5, 0.1, 3e38, 1e-40, math.inf, math.nan, r.uniform(-1e6, 1e6)])
            return struct.unpack("<f", struct.pack("<f", x))[0]
        return x
    if t == F.TYPE_BOOL:
        return r.random() < 0.5
    if t == F.TYPE_STRING:
        return r.choice(TEXTS)
    if t == F.TYPE_BYTES:
        return bytes(r.randrange(256) for _ in range(r.choice([0, 1, 2, 3, 17, 40])))
    values = [v.number for v in field.enum_type.values]
    return r.choice(values) if field.enum_type.is_closed or r.random() < 0.8 else r.choice([99, -77, 2**31 - 1])


def fill(r, m, depth, chance):
    name = m.DESCRIPTOR.full_name
    if name == "google.protobuf.Timestamp":
        m.seconds = r.choice([0, -1, -62135596800, 253402300799, 1732600000, r.randint(-10**10, 10**10)])
        m.nanos = r.choice([0, 5 * 10**6, 7000, 1, 999999999])
        return
    if name == "google.protobuf.Duration":
        sign = r.choice([1, -1])
        m.seconds = sign * r.choice([0, 1, 59, 3600, 315576000000, r.randint(0, 10**6)])
        m.nanos = sign * r.choice([0, 5 * 10**6, 7000, 1, 999999999])
        return
    for field in m.DESCRIPTOR.fields:
        if r.random() > chance:
            continue
        x = None
        if is_map(field):
            key, value = field.message_type.fields
            for k in ["a", "b", "", 'k"ey', "ö"] if key.type == F.TYPE_STRING else [True, False] if key.type == F.TYPE_BOOL else [0, 1, 5, 2**31 - 1]:
                if r.random() < 0.5:
                    if value.message_type:
                        if depth > 0:
                            fill(r, getattr(m, field.name)[k], depth - 1, chance)
                    else:
                        getattr(m, field.name)[k] = scalar(r, value)
        elif field.is_repeated:
            for _ in range(r.choice([0, 1, 2, 3, 7])):
                if field.message_type:
                    if depth > 0:
                        fill(r, getattr(m, field.name).add(), depth - 1, chance)
                else:
                    getattr(m, field.name).append(scalar(r, field))
        elif field.message_type:
            if depth > 0:
                getattr(m, field.name).SetInParent()
                fill(r, getattr(m, field.name), depth - 1, chance)
        else:
            setattr(m, field.name, scalar(r, field))


def paths_of(desc):
    """Each field, what is one step inside of it, and the whole."""
    out = [[]]
    for oneof in desc.oneofs:
        if not (len(oneof.fields) == 1 and oneof.name == "_" + oneof.fields[0].name):
            out.append([oneof.name])
    for field in desc.fields:
        name = [field.name]
        out.append(name)
        inner = field.message_type
        if is_map(field):
            kind = field.message_type.fields_by_name["key"].type
            keys = ["a", ""] if kind == F.TYPE_STRING else ["true"] if kind == F.TYPE_BOOL else ["5", "0"]
            out += [name + [k] for k in keys]
            name, inner = name + keys[:1], field.message_type.fields_by_name["value"].message_type
        elif field.is_repeated:
            out += [name + [0], name + [2]]
            name = name + [0]
        if inner:
            for sub in inner.fields[:6]:
                out.append(name + [sub.name])
                if sub.message_type and not sub.is_repeated:
                    out += [name + [sub.name, s.name] for s in sub.message_type.fields[:3]]
    return out


def differs(m):
    """
    Whether Python's runtime (upb) hides what others show: a value of a closed enum that has no name is among
    the unknown fields (the kernel shows its number), and so is a map's entry that has an unknown field.
    """
    desc = m.DESCRIPTOR
    for unknown in unknown_fields.UnknownFieldSet(m):
        field = desc.fields_by_number.get(unknown.field_number)
        if field and (is_map(field) or field.enum_type and field.enum_type.is_closed):
            return True
    for field, x in m.ListFields():
        if is_map(field):
            inner = field.message_type.fields_by_name["value"].message_type
            if inner and any(differs(x[k]) for k in x):
                return True
        elif field.message_type and any(differs(e) for e in (x if field.is_repeated else [x])):
            return True
    return False


def mutate(r, data):
    kind = r.randrange(4)
    if kind == 0:
        return data[: r.randrange(len(data) + 1)]
    data = bytearray(data)
    for _ in range(r.choice([1, 1, 1, 2, 5])):
        if data:
            data[r.randrange(len(data))] ^= 1 << r.randrange(8)
    if kind == 2 and data:  # a wild length or number
        data[r.randrange(len(data))] = 0xFF
    if kind == 3:  # two messages in one
        data = data + data
    return bytes(data)


def row(cls, data, paths):
    m = cls()
    try:
        m.ParseFromString(data)
    except message.DecodeError:
        return None
    if differs(m):
        return "skip"
    try:
        return [at(m, p) for p in paths]
    except Unreadable:
        return "unreadable"


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 14
    r = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 20261126)
    suites = []
    for module, proto, names in [
        (ORDER, "shop/order.proto", ["Scalars", "Optionals", "Lists", "Maps", "Choice", "Tree", "Known", "Order"]),
        (LEGACY, "shop/legacy.proto", ["Old"]),
        (EDITION, "shop/edition.proto", ["New"]),
    ]:
        for name in names:
            cls = getattr(module, name)
            paths = paths_of(cls.DESCRIPTOR)
            cases = []
            for i in range(count):
                m = cls()
                fill(r, m, 4 if name == "Tree" else 3, [0.0, 1.0, 0.5, 0.3][i % 4] if name not in ("Order", "Tree") else 0.35)
                data = m.SerializeToString()
                if len(data) > 1500:
                    continue
                cases.append({"hex": data.hex(), "row": row(cls, data, paths)})
                for _ in range(6):
                    bent = mutate(r, data)
                    what = row(cls, bent, paths)
                    if what != "skip":
                        cases.append({"hex": bent.hex(), "row": what, "mutated": True})
            suites.append({"proto": proto, "message": cls.DESCRIPTOR.full_name, "paths": paths, "cases": cases})
    path = sys.argv[3] if len(sys.argv) > 3 else os.path.join(HERE, "protobuf.jsonl")
    with open(path, "w", encoding="utf-8") as out:
        out.writelines(json.dumps(s, ensure_ascii=False, separators=(",", ":")) + "\n" for s in suites)


main()
