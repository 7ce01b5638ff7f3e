import type { SnapshotRecord } from "../../model/stack-snapshots";
import { UserError } from "../../model/user-error";
import type { DriverRecord } from "../machine-records";

/** What keeps a snapshot from being restored into the present machines, a clause each. Pure. */
export function differences(snapshot: SnapshotRecord, present: readonly DriverRecord[]): readonly string[] {
  const known = new Map(snapshot.machines.map((machine) => [machine.name, machine]));
  const names = present.map(({ spec }) => spec.name);
  return [
    ...listed(
      snapshot.machines.map(({ name }) => name).filter((name) => !names.includes(name)),
      "no longer exists",
    ),
    ...listed(
      names.filter((name) => !known.has(name)),
      "was added since",
    ),
    ...present.flatMap(({ spec, generation, owner, former }) => {
      const then = known.get(spec.name);
      if (!then) return [];
      if (then.generation !== generation || then.owner.stack !== owner.stack)
        return [`${spec.name} was recreated since`];
      if (then.image !== spec.image) return [`${spec.name} had the image ${then.image} and has ${spec.image}`];
      if (former) return [`${spec.name} is getting another image`];
      const disks = spec.disks.map(({ disk }) => disk);
      const isSame = disks.length === then.disks.length && disks.every((disk) => then.disks.includes(disk));
      return isSame ? [] : [`${spec.name} had the data disks ${then.disks.join(", ") || "none"}`];
    }),
  ];
}

const listed = (names: readonly string[], what: string): readonly string[] => names.map((name) => `${name} ${what}`);

/** @throws UserError `snapshot-differs` */
export function refuseDifferent(snapshot: SnapshotRecord, present: readonly DriverRecord[]): void {
  const found = differences(snapshot, present);
  if (found.length > 0) throw otherDisks(snapshot, found);
}

export function otherDisks(snapshot: SnapshotRecord, found: readonly string[]): UserError {
  return new UserError(
    "snapshot-differs",
    `the snapshot ${snapshot.name} does not fit the machines of ${snapshot.stack}: ${found.join("; ")}`,
    "undo that change with the stack's file and `npx groundplane start` and try again; a recreated machine or another image cannot be undone: " +
      `create a new snapshot, and remove this one: \`npx groundplane snapshot delete ${snapshot.name}\``,
  );
}
