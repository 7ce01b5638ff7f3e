import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as protobuf from "google-protobuf";
import { quickenStrings } from "../../../host/fast-strings.cjs";

class Reader extends protobuf.BinaryReader {}
class Writer extends protobuf.BinaryWriter {}
quickenStrings({ ...protobuf, BinaryReader: Reader, BinaryWriter: Writer });

/** Strings on both sides of every length at which their encoding differs. */
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 200 }),
  fc.constantFrom(0, 1, 63, 64, 127, 128, 20_000).map((length) => "é\u{1F600}a".repeat(length).slice(0, length * 2)),
  fc.constant(`\uFEFF${"x".repeat(100)}`),
);
const wellFormed = text.filter((value) => !/\p{Surrogate}/u.test(value));

function written(writer: protobuf.BinaryWriter, texts: readonly string[]): Uint8Array {
  for (const value of texts) writer.writeString(1, value);
  writer.writeMessage(2, {}, () => {
    for (const value of texts) writer.writeString(3, value);
  });
  return writer.getResultBuffer();
}

function read(reader: protobuf.BinaryReader): readonly string[] {
  const texts: string[] = [];
  const readInner = (): void => {
    while (reader.nextField()) texts.push(reader.readString());
  };
  while (reader.nextField()) {
    if (reader.getFieldNumber() === 1) texts.push(reader.readString());
    else reader.readMessage({}, readInner);
  }
  return texts;
}

test("messages have the bytes that the library itself writes", () => {
  fc.assert(
    fc.property(fc.array(wellFormed), (texts) => {
      assert.deepEqual(written(new Writer(), texts), written(new protobuf.BinaryWriter(), texts));
    }),
  );
});

test("strings come back as they were written", () => {
  fc.assert(
    fc.property(fc.array(wellFormed), (texts) => {
      assert.deepEqual(read(new Reader(written(new Writer(), texts))), [...texts, ...texts]);
    }),
  );
});
