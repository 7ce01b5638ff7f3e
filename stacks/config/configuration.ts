import type * as z from "zod";
import type { KubernetesVersion } from "../../model/releases";
import type { PoolName } from "../../model/roles";
import type { configurationSchema } from "./configuration-schema";

/** What the schema gives for valid input: all defaults that need nothing but the file are in place. */
export type ParsedShape = DeepReadonly<z.output<typeof configurationSchema>>;

/**
 * What the user asked for, after parsing, defaulting and checking: one object per stack, readonly, complete. The schema
 * describes each key. `driver: auto` stays as it is: the host decides it, not the file.
 */
export interface Configuration extends Omit<ParsedShape, "hostPorts" | "kubernetesVersion"> {
  /** The stack's name, which is not part of the file's content. */
  readonly name: string;
  /** Complete: without one in the file, the release that the stack runs, or the newest for a new stack. */
  readonly kubernetesVersion: KubernetesVersion;
  /** Complete: the defaults follow from the stack's name, which the schema does not know. */
  readonly hostPorts: Omit<ParsedShape["hostPorts"], "api" | "ssh"> & { readonly api: number; readonly ssh: number };
}

/** The keys that the schema gives every pool. */
export type PoolConfiguration = ParsedShape["pools"][PoolName];

export type DiskConfiguration = PoolConfiguration["disks"][number];
export type NetworkConfiguration = ParsedShape["network"];
export type AttachmentConfiguration = ParsedShape["virtualbox"]["attachments"][number];

type DeepReadonly<T> = T extends readonly (infer Element)[]
  ? readonly DeepReadonly<Element>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;
