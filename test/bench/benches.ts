import type { Bench } from "./bench";
import { planRender1000 } from "./plan-render-1000.bench";

/** In the order in which they run. */
export const benches: readonly Bench[] = [planRender1000];
