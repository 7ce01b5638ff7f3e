import type { BrickPlan, DataCenterPlan, VolumePlan } from "../../stacks/plan/data-center-plan";
import type { Fault } from "../fault";
import { beginNotes, endNotes, forgetNotes, longestGap } from "../guest-notes";
import type { Laboratory } from "../laboratory";
import { back } from "./masters";

/** Of writing before the machine is killed, and while it is away. */
const BEFORE_MS = 2_000;
const AWAY_MS = 8_000;
const HEALED_MS = 180_000;

const fileName = "groundplane-verify";
const notes = "volume-writes";

/**
 * Appends numbered lines through one descriptor for ever, as a database would. A line counts once fsync has returned;
 * then the moment and its number are noted.
 */
const writer = (file: string): string => `
import os, time
volume = os.open("${file}", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
number = 0
while True:
    try:
        os.write(volume, b"%d\\n" % number)
        os.fsync(volume)
        print(time.time(), "acknowledged", number, flush=True)
    except OSError as error:
        print(time.time(), "refused", number, flush=True)
    number += 1
    time.sleep(0.005)
`;

export const storageKill: Fault = {
  name: "storage-kill",
  what: "a storage machine loses its cables, then its power, while a worker writes and syncs; it comes back",
  measures: () => [
    { name: "write-stall", what: "longest wait for a write to be on disk", unit: "ms", target: 3_000 },
    { name: "refused-writes", what: "writes that failed", unit: "times", target: 0 },
    { name: "lost-writes", what: "lines on disk that are not in every copy", unit: "times", target: 0 },
    back("from the machine's start until all copies are whole", 60_000),
  ],
  impossible: ({ volume }) =>
    volume === undefined || volume.shape === "single" ? "no volume of it has a second copy" : undefined,
  async run(lab) {
    const volume = volumeOf(lab.plan);
    const workers = lab.names("worker");
    const [worker = "", reader = worker] = workers;
    const lost = volume.bricks[(lab.round - 1) % volume.bricks.length]?.node ?? "";
    const file = `${volume.mountPoint}/${fileName}`;
    await lab.must(worker, beginNotes(notes, `python3 -c '${writer(file)}'`));
    try {
      await lab.pause(BEFORE_MS);
      await lab.kill(lost);
      await lab.pause(AWAY_MS);
      const written = parseWritten(await lab.must(worker, endNotes(notes)));
      const copies = [await lab.must(reader, `cat ${file}`)];
      const started = performance.now();
      await lab.start(lost);
      await lab.until("all copies are whole", HEALED_MS, async () => (await incompleteCopies(lab)).length === 0);
      const healed = Math.round(performance.now() - started);
      for (const { node, folder } of bricksWithData(volume))
        copies.push(await lab.must(node, `cat ${folder}/${fileName}`));
      const values = {
        "write-stall": written.longestMs,
        "refused-writes": written.refused,
        "lost-writes": missingLines(written.acknowledged, copies),
        back: healed,
      };
      return [{ values }];
    } finally {
      await lab.on(worker, `${forgetNotes}; rm -f ${file}`);
    }
  },
};

function volumeOf({ volume }: DataCenterPlan): VolumePlan {
  if (volume === undefined) throw new Error("there is no volume");
  return volume;
}

/** An arbiter keeps names, no data. */
const bricksWithData = ({ bricks, shape }: VolumePlan): readonly BrickPlan[] =>
  shape === "arbiter" ? bricks.slice(0, -1) : bricks;

/** Copies of the volume that lack something, or do not answer; empty = all are whole. */
export async function incompleteCopies(lab: Laboratory): Promise<readonly string[]> {
  const { volume } = lab.plan;
  const [first] = volume?.bricks ?? [];
  if (volume === undefined || first === undefined || volume.shape === "single") return [];
  const { stdout } = await lab.on(first.node, `gluster --mode=script volume heal ${volume.name} info summary`);
  // A paragraph for each brick: `Brick ADDRESS:FOLDER`, `Status: …`, `Total Number of entries: N`, which is `-` for one
  // that does not answer.
  const whole = stdout.split("\n\n").filter((paragraph) => /^Total Number of entries: 0$/m.test(paragraph));
  return volume.bricks
    .filter(({ address, folder }) => !whole.some((paragraph) => paragraph.startsWith(`Brick ${address}:${folder}\n`)))
    .map(({ node }) => `the copy of the volume on ${node} is not whole`);
}

interface Written {
  readonly acknowledged: readonly string[];
  readonly refused: number;
  /** Between two lines that were acknowledged, or since the last one. */
  readonly longestMs: number;
}

/** @throws Error when nothing was written, so that nothing was measured */
export function parseWritten(text: string): Written {
  const lines = text
    .trim()
    .split("\n")
    .map((line) => line.split(" "));
  const acknowledged = lines.filter(([, what]) => what === "acknowledged");
  if (acknowledged.length === 0) throw new Error(`nothing could be written to the volume: ${text.slice(0, 200)}`);
  const moments = lines.filter(([, what]) => what !== "refused").map(([moment]) => Number(moment));
  return {
    acknowledged: acknowledged.map(([, , number = ""]) => number),
    refused: lines.filter(([, what]) => what === "refused").length,
    longestMs: longestGap(moments),
  };
}

/** How many lines at least one copy does not have. */
export function missingLines(lines: readonly string[], copies: readonly string[]): number {
  const present = copies.map((copy) => new Set(copy.split("\n")));
  return lines.filter((line) => present.some((copy) => !copy.has(line))).length;
}
