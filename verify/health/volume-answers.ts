import { type Finding, healthy, type ReadAnswer, unhealthy, unknown } from "./findings";
import { notUnderstood } from "./machine-answers";

/** Answers about the volume, which one storage machine gives for all. Bricks are named `ADDRESS:FOLDER`. */

const expectedBricks = (text: string): readonly string[] => {
  const [, bricks] = /^expected (.+)$/m.exec(text) ?? [];
  return bricks?.trim().split(/\s+/) ?? [];
};

/** @param nameOf the machine with an address */
export const readBricks =
  (nameOf: (address: string) => string): ReadAnswer =>
  (of, answer) => {
    const expected = expectedBricks(answer.text);
    const [, result, reason] = /<opRet>(-?\d+)<\/opRet>[\s\S]*?<opErrstr>([^<]*)/.exec(answer.text) ?? [];
    if (result !== undefined && result !== "0")
      return unhealthy(of, reason || "Gluster reports no state of the volume");
    if (expected.length === 0 || !answer.text.includes("<volStatus>")) return notUnderstood(of, answer);
    const xml = answer.text.replace(/\s*\n\s*/g, "");
    return expected.map((brick) => {
      const [address = "", folder = ""] = brick.split(/:(.*)/s);
      const node = `<hostname>${address}</hostname><path>${folder}</path><peerid>[^<]*</peerid><status>(\\d)<`;
      // A machine that is down is not listed.
      const [, status] = new RegExp(node.replaceAll(".", "\\.")).exec(xml) ?? [];
      const what = `the brick ${brick}`;
      if (status === "1") return healthy(nameOf(address), `${what} is served`);
      return unhealthy(nameOf(address), `${what} is not served${status === undefined ? ": its machine is away" : ""}`);
    });
  };

interface BrickHeals {
  readonly brick: string;
  readonly isConnected: boolean;
  readonly pending: number;
  readonly splitBrain: number;
}

/**
 * A paragraph per brick: `Brick ADDRESS:FOLDER`, `Status: …` and four numbers, where `-` means that the brick does not respond.
 */
function parseHeals(text: string): readonly BrickHeals[] {
  return text.split(/\n\s*\n/).flatMap((paragraph) => {
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, "m").exec(paragraph)?.[1]?.trim() ?? "";
    const [, brick] = /^Brick (\S+)$/m.exec(paragraph) ?? [];
    const [total, splitBrain] = [field("Total Number of entries"), field("Number of entries in split-brain")];
    if (brick === undefined || total === "") return [];
    const isConnected = /^\d+$/.test(total);
    return [{ brick, isConnected, pending: Number(total) || 0, splitBrain: Number(splitBrain) || 0 }];
  });
}

/** @param silent about a brick whose copy does not respond, or of which Gluster says nothing */
function eachBrick(
  nameOf: (address: string) => string,
  silent: typeof unhealthy,
  read: (of: string, heals: BrickHeals) => Finding,
): ReadAnswer {
  return (of, answer) => {
    const expected = expectedBricks(answer.text);
    const heals = parseHeals(answer.text);
    if (expected.length === 0 || heals.length === 0) return notUnderstood(of, answer);
    return expected.map((brick) => {
      const name = nameOf(brick.split(":")[0] ?? "");
      const found = heals.find((one) => one.brick === brick);
      return found?.isConnected ? read(name, found) : silent(name, "its copy does not respond");
    });
  };
}

export const readHeals = (nameOf: (address: string) => string): ReadAnswer =>
  eachBrick(nameOf, unhealthy, (of, { pending }) =>
    pending === 0 ? healthy(of, "all copies are complete") : unhealthy(of, `${pending} files wait to be healed`),
  );

export const readSplitBrain = (nameOf: (address: string) => string): ReadAnswer =>
  eachBrick(nameOf, unknown, (of, { splitBrain }) =>
    splitBrain === 0 ? healthy(of, "none") : unhealthy(of, `${splitBrain} files are in split-brain`),
  );
