import type { DriverName } from "../model/drivers";
import type { DataCenterPlan } from "../stacks/plan/data-center-plan";
import type { BaseImage } from "./base-image";
import type { Network } from "./network";
import type { Guard } from "./resources/guard";
import type { Secrets } from "./secrets";

/** What every part of one data centre stands on. */
export interface Foundation {
  readonly plan: DataCenterPlan;
  /** Already chosen, never `auto`. */
  readonly driver: DriverName;
  /** How many times slower than natively its machines are; time limits are as many times longer. */
  readonly slowdown: number;
  readonly secrets: Secrets;
  readonly baseImage: BaseImage;
  readonly network: Network;
  /** Has agreed before any machine changes. */
  readonly guard: Guard;
}
