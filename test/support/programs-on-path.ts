import * as fs from "node:fs";
import * as path from "node:path";

/** The files on PATH with these names, in this order. */
export const executablesOnPath = (...names: readonly string[]): readonly string[] =>
  names.flatMap((name) =>
    (process.env.PATH ?? "")
      .split(path.delimiter)
      .map((folder) => path.join(folder, name))
      .filter((file) => fs.existsSync(file))
      .slice(0, 1),
  );
