import * as path from "node:path";
import { stackFolder } from "./data-folder";

/** The guard's record of a stack, which exists as long as the stack does; see provider/resources/guard-record.ts. */
export const guardFile = (stack: string): string => path.join(stackFolder(stack), "guard.json");

/** What others than the guard read of it. */
export interface StoredRelease {
  /** The release that the last `up` brought, or was bringing. Absent in the records of earlier versions. */
  readonly kubernetesVersion?: string;
}
