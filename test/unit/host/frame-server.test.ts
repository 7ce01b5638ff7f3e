import assert from "node:assert/strict";
import { test } from "node:test";
import { splitFrames } from "../../../host/frame-server";

function framed(text: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(text));
  return Buffer.concat([length, Buffer.from(text)]);
}

test("frames are found wherever the stream is split", () => {
  const stream = Buffer.concat(["one", "", "three"].map(framed));
  for (let cut = 0; cut <= stream.length; cut++) {
    const first = splitFrames(stream.subarray(0, cut));
    assert.ok(first);
    const second = splitFrames(Buffer.concat([first.rest, stream.subarray(cut)]));
    assert.ok(second);
    assert.deepEqual(
      [...first.frames, ...second.frames].map((frame) => frame.toString("latin1", 4)),
      ["one", "", "three"],
    );
    assert.equal(second.rest.length, 0);
  }
});

test("an impossible frame length is refused", () => {
  assert.equal(splitFrames(Buffer.from("GET / HTTP/1.1\r\n")), undefined);
});
