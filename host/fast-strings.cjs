// Plain CommonJS, because it also runs before the Pulumi program.

/** Shorter strings are written faster by the library itself. */
const SHORT = 64;

const encoder = new TextEncoder();
// A mark of the byte order at the beginning belongs to the string.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Lets google-protobuf encode and decode strings by Node.js. The library itself does so byte by byte, which took a third of the
 * provider's time and a tenth of the program's: the files of all nodes pass through them several times in each `up`. The bytes are the same.
 *
 * @param library `require("google-protobuf")`
 */
function quickenStrings(library) {
  const reader = library.BinaryReader.prototype;
  const writer = library.BinaryWriter.prototype;
  const writeShort = writer.writeString;
  reader.readString = function readString() {
    return decoder.decode(this.readBytes());
  };
  writer.writeString = function writeString(field, value) {
    if (typeof value !== "string" || value.length < SHORT) writeShort.call(this, field, value);
    else this.writeBytes(field, encoder.encode(value));
  };
  return library;
}

module.exports = { quickenStrings };
