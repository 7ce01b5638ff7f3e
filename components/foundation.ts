import type { DriverName } from "../model/drivers";
import type { DataCenterPlan } from "../stacks/plan/data-center-plan";
import type { BaseImage } from "./base-image";
import type { Network } from "./network";
import type { Guard } from "./resources";
import type { Secrets } from "./secrets";

/** The shared base of all components of a data centre. */
export interface Foundation {
  readonly plan: DataCenterPlan;
  /** Already chosen, never `auto`. */
  readonly driver: DriverName;
  /** Factor by which its machines are slower than native; it multiplies the time limits. */
  readonly slowdown: number;
  readonly secrets: Secrets;
  readonly baseImage: BaseImage;
  readonly network: Network;
  /** Checks the plan before any machine changes. */
  readonly guard: Guard;
}
