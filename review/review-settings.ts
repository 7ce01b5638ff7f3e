import { type ChangeClass, classOn } from "../model/change-classes";
import type { SettingChange } from "../model/changed-settings";
import type { DriverName } from "../model/drivers";
import { worstRisk } from "./interruptions";
import type { Risk, SettingReview } from "./review";

/** The risk of a class by itself. What is interrupted on which node, and how long, comes from the nodes. */
const riskOfClass: Readonly<Record<ChangeClass, Risk>> = {
  live: "none",
  rolling: "low",
  replace: "medium",
  "creation-only": "high",
};

/** The changed keys of the configuration with their classes. */
export const reviewSettings = (
  changes: readonly SettingChange[],
  driver: DriverName | "auto",
): readonly SettingReview[] =>
  changes.map(({ key, before, after, change }) => {
    const changeClass = classOn(change, driver);
    const less = Number(after) < Number(before) ? change.less : undefined;
    return {
      key,
      ...(before !== undefined && { before }),
      ...(after !== undefined && { after }),
      class: changeClass,
      effect: less === undefined ? change.effect : `${change.effect} ${less}`,
      risk: worstRisk([riskOfClass[changeClass], less === undefined ? "none" : "medium"]),
    };
  });
