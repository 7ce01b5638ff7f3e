import type { Interruption, Risk } from "./review";

export interface Judgement {
  readonly interruption: Interruption;
  readonly risk: Risk;
  readonly riskReason: string;
}

export const nothing: Interruption = { what: "nothing" };
export const low = (riskReason: string, interruption: Interruption = nothing): Judgement => ({
  interruption,
  risk: "low",
  riskReason,
});
export const medium = (riskReason: string, interruption: Interruption): Judgement => ({
  interruption,
  risk: "medium",
  riskReason,
});
export const high = (riskReason: string, interruption: Interruption): Judgement => ({
  interruption,
  risk: "high",
  riskReason,
});
