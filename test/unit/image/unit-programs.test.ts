import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";

const layers = path.join(__dirname, "..", "..", "..", "image", "layers");

/** Our own programs, those of systemd itself, and those of POSIX are in the same folder in every distribution. */
const isSameEverywhere = (program: string): boolean =>
  /^\/usr\/(?:local\/|lib\/systemd\/)|^\/bin\/(?:sh|true)$/.test(program);

test("units of layers name programs of packages without a folder, because distributions have different folders", () => {
  const files = fs.readdirSync(layers, { recursive: true, encoding: "utf8" });
  const units = files.filter((file) => /\.(?:service|socket|conf)$/.test(file));
  const programs = units.flatMap((file) => {
    const text = fs.readFileSync(path.join(layers, file), "utf8");
    return [...text.matchAll(/^Exec\w+=[-@:+!|]*(\/\S+)/gm)].map(([, program]) => ({ file, program: program ?? "" }));
  });
  assert.ok(programs.length > 0);
  assert.deepEqual(
    programs.filter(({ program }) => !isSameEverywhere(program)),
    [],
  );
});
