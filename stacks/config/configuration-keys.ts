import type { configurationChanges } from "../../model/configuration-changes";
import type { PoolName } from "../../model/roles";
import type { ParsedShape } from "./configuration";

/** The path of every value that the configuration's schema knows, e.g. `pools.workers.disks[].sizeGiB`. */
export type ConfigurationKey = KeysOf<ParsedShape>;

type KeysOf<Shape, Path extends string = ""> = Shape extends readonly (infer Element)[]
  ? KeysOf<Element, `${Path}[]`>
  : Shape extends object
    ? string extends keyof Shape
      ? `${Path}.<mount point>`
      : {
          [Key in keyof Shape & string]-?: KeysOf<NonNullable<Shape[Key]>, Path extends "" ? Key : `${Path}.${Key}`>;
        }[keyof Shape & string]
    : Path;

/** The keys that the table of changes covers. */
type Declared<Row = keyof typeof configurationChanges> = Row extends `pools.<pool>.${infer Rest}`
  ? `pools.${PoolName}.${Rest}`
  : Row;

/** Rows for one entry of a list. */
type OfOneEntry = "pools.storage.disks[0].name";

type None<Keys extends never> = Keys;

/** Does not compile when a key of the schema has no change class. The error names the key. */
export type KeysWithoutClass = None<Exclude<ConfigurationKey, Declared>>;

/** Does not compile when the table has a row for a key that the schema does not know. */
export type ClassesWithoutKey = None<Exclude<Declared, ConfigurationKey | OfOneEntry>>;
