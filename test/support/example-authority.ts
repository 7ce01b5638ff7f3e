import { execFileSync } from "node:child_process";
import { readDocument } from "./documents";

/** The commands of docs/keys.md that create a root and an authority below it: `root.crt`, `root.key`, `ca.crt`, `ca.key` and others. */
export function makeExampleAuthority(folder: string): void {
  const [, commands] = /<!-- authority:begin -->\n```sh\n([\s\S]*?)```/.exec(readDocument("docs/keys.md")) ?? [];
  if (commands === undefined) throw new Error("docs/keys.md has no commands that create an authority");
  execFileSync("bash", ["-euo", "pipefail", "-c", commands], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
}
