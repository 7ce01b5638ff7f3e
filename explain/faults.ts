import type { Fault } from "../verify/fault";
import { faultExplanations } from "../verify/fault-explanations";
import { amount, expectationOf, figuresOf } from "../verify/recorded-figures";
import { type Explanation, filled } from "./explanation";
import { onStack, type Subject } from "./subject";

export function explainFault(subject: Subject, { name, what, measures, inapplicable }: Fault): Explanation {
  const { plan } = subject;
  const reason = inapplicable(plan);
  const figures = figuresOf(plan, name);
  return {
    kind: "fault",
    name,
    is: `${what}.`,
    ...(faultExplanations[name] !== undefined && { why: faultExplanations[name] }),
    sections: filled([
      reason === undefined
        ? {
            title: `Promised for ${plan.stack}`,
            rows: measures(plan).map((each) => [each.what, expectationOf(each)]),
          }
        : { title: `Promised for ${plan.stack}`, text: `It does not apply: ${reason}.` },
      figures && {
        title: `Measured: ${figures.origin}`,
        rows: figures.results.map((each) => [
          each.what,
          each.unit === "times"
            ? amount(each.max, each)
            : `median ${amount(each.p50, each)}, longest ${amount(each.max, each)}`,
        ]),
      },
      reason === undefined ? { title: "See it", commands: [onStack(subject, `verify --only ${name}`)] } : undefined,
    ]),
  };
}
