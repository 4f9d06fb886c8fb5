/** JSON, Avro and Protobuf values, and their schemas. */
import { Stop } from "../../lib/protocol/kernel/kernel.ts";
import { addAvro, type AvroType, parseAvroSchema, SchemaError } from "../../lib/records/avro.ts";
import { jsonPlace } from "../../lib/records/json_place.ts";
import { ProgramWriter } from "../../lib/records/program.ts";
import { addProtobuf, ProtobufError, readProtobuf } from "../../lib/records/protobuf.ts";
import { Random } from "../support/random.ts";
import { jsonProgram, linesOf, type Made, RowMaker } from "../support/program_rows.ts";
import { RandomJson } from "../support/random_json.ts";
import { RandomAvro } from "../unit/records/avro_random.ts";
import { AvroRows } from "../unit/records/avro_rows.ts";
import { goldenProto, ProtobufRows, readSuites } from "../unit/records/protobuf_rows.ts";
import { mutated, mutatedText } from "./mutate.ts";
import { answered, choice, must, type Target } from "./target.ts";

const encoder = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A registry's frame, which is skipped: a zero byte and an id. */
const FRAME = 5;

/** Whether a plain parser reads it, or what follows a frame. */
function isJson(bytes: Uint8Array): boolean {
  if (bytes[0] === 0 && bytes.length >= FRAME) bytes = bytes.subarray(FRAME);
  try {
    JSON.parse(strict.decode(bytes));
    return true;
  } catch {
    return false;
  }
}

/** A document between two intact ones: their rows stay, and it is a row only if it is JSON. */
export function json(): Target {
  const names = ["a", "b", "c d", "é", "items"];
  const rows = new RowMaker(jsonProgram('a, b, items[1].a, "c d", é, a.b.a, .'));
  const good = encoder.encode('{"a": 1, "b": "x,\\"y", "items": [0, {"a": null}]}');
  const [line] = linesOf(rows.values([good])).split("\n");
  return {
    name: "json",
    run(random, tried) {
      const documents = new RandomJson(random, { names, depth: 2, duplicates: true });
      const text = encoder.encode(documents.document());
      const other = encoder.encode(documents.document());
      const input = tried.input = random.int(0, 3) > 0 ? mutated(text, other, random) : text;
      let made: Made = rows.values([good, input, good]);
      const isBad = made.bad.length === 1 && made.bad[0].index === 1;
      must(made.bad.length === 0 || isBad, () => `bad: ${JSON.stringify(made.bad)}`);
      const written = strict.decode(made.rows);
      must(
        written.startsWith(`${line}\n`) && written.endsWith(`\n${line}\n`),
        () => "an intact document has another row",
      );
      must(!isBad || made.rows.length === 2 * line.length + 2, () => "a bad document left bytes");
      must(isBad || isJson(input), () => "a row of what is not JSON");
      if (isBad) {
        const { at } = made.bad[0];
        must(at >= -1 && at <= input.length, () => `byte ${at} of ${input.length}`);
        if (at >= 0) jsonPlace(input, at);
        // Alone it is the same.
        made = rows.values([input]);
        must(made.bad.length === 1 && made.rows.length === 0, () => "alone it is a row");
      }
    },
  };
}

const avroWorlds = Array.from({ length: 40 }, (_, index) => {
  const avro = new RandomAvro(new Random(index + 1));
  const text = JSON.stringify(avro.record());
  const type = parseAvroSchema(text);
  const paths = [...Array.from({ length: 4 }, () => avro.path(type)), [], ["f0"], ["nowhere"]];
  return { avro, text, type, rows: new AvroRows(new Map([[null, text]]), paths, 1 << 16) };
});

/** Avro values, changed, of the right schema or of another: rows, or a reason; then an intact one. */
export const avro: Target = {
  name: "avro",
  run(random, tried) {
    const { avro, type, rows } = choice(avroWorlds, random);
    const good = Uint8Array.from(avro.value(type));
    const another = choice(avroWorlds, random);
    const other = Uint8Array.from(another.avro.value(another.type));
    const input = tried.input = mutated(good, other, random);
    const before = rows.run([good]);
    const both = rows.run([good, input]);
    must(both.rows.startsWith(before.rows), () => "an intact value has another row");
    const { stop } = both;
    must(
      stop === Stop.done || stop === Stop.enough || both.reason !== undefined,
      () => `stopped by ${stop}`,
    );
  },
};

const avroWords = [
  ...['"null"', '"record"', '"array"', '"map"', '"enum"', '"fixed"', '"union"', '"type"', '"name"'],
  ...['"decimal"', '"precision"', '"scale"', '"size"', "-1", "1e9", "99999999999", "{", "}", "["],
  ...["]", ",", ":", '"R0"', '"items"', '"fields"', "null", '"logicalType"', '"uuid"', '""', "\\"],
];

/** Avro schemas, changed: a program that reads any bytes, or SchemaError. */
export const avroSchemas: Target = {
  name: "avro schema",
  run(random, tried) {
    const { text, avro, type } = choice(avroWorlds, random);
    const input = mutatedText(text, choice(avroWorlds, random).text, avroWords, random);
    tried.input = input;
    const schema = answered(() => parseAvroSchema(input), SchemaError);
    if (schema === null) return;
    const value = Uint8Array.from(avro.value(type));
    const rows = answered(
      () => new AvroRows(new Map([[null, input]]), [[], ["f0"]], 1 << 14),
      SchemaError,
    );
    rows?.run([value]);
    rows?.run([mutated(value, value, random)]);
    programOf(schema);
  },
};

function programOf(schema: AvroType): void {
  const writer = new ProgramWriter();
  addAvro(writer, { byId: new Map([[7, schema]]), bare: null }, [{ text: "f1", steps: ["f1"] }], 0);
}

const suites = readSuites().map((suite) => ({
  ...suite,
  rows: new ProtobufRows(suite.proto, suite.message, suite.paths),
  values: suite.cases.map(({ hex }) =>
    Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16))
  ),
}));

/** Protobuf values, changed, of the right message or of another: a row, or a reason. */
export const protobuf: Target = {
  name: "protobuf",
  run(random, tried) {
    const { rows, values } = choice(suites, random);
    const good = choice(values, random);
    const input = tried.input = mutated(
      good,
      choice(choice(suites, random).values, random),
      random,
    );
    const before = JSON.stringify(rows.one(good));
    rows.one(input, random.int(0, 255), 1 << 14);
    must(JSON.stringify(rows.one(good)) === before, () => "an intact value has another row");
  },
};

const protoWords = [
  ...[
    "message",
    "enum",
    "oneof",
    "map<string, int32>",
    "repeated",
    "optional",
    "import",
    "package",
  ],
  ...["reserved", "extensions", "{", "}", "=", ";", "1", "0", "-1", "536870912", "99999999999"],
  ...['"', "'", "//", "/*", "*/", "syntax", "int32", "bytes", "group", "service", "rpc", "option"],
];

/** .proto files, changed: a program, or ProtobufError. */
export const protobufSchemas: Target = {
  name: "proto file",
  run(random, tried) {
    const names = [...new Set(suites.map(({ proto }) => proto))];
    const { proto, message } = choice(suites, random);
    const text = mutatedText(
      goldenProto(proto),
      goldenProto(choice(names, random)),
      protoWords,
      random,
    );
    tried.input = text;
    const imports = (name: string) => names.includes(name) ? goldenProto(name) : undefined;
    answered(() => {
      const found = readProtobuf({ text, imports }).message(message);
      const path = { text: ".", steps: [] };
      addProtobuf(new ProgramWriter(), { framed: [], bare: found }, [path], 0);
    }, ProtobufError);
  },
};
