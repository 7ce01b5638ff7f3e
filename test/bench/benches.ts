import type { Bench } from "./bench";
import { firstStart } from "./first-start.bench";
import { imageDisk } from "./image-disk.bench";
import { lab } from "./lab.bench";
import { planRender1000 } from "./plan-render-1000.bench";
import { qemu } from "./qemu.bench";
import { roll } from "./roll.bench";
import { rollOutage } from "./roll-outage.bench";
import { stackUp } from "./stack-up.bench";
import { upgrade } from "./upgrade.bench";
import { virtualbox } from "./virtualbox.bench";

/** In the order of execution. */
export const benches: readonly Bench[] = [
  ...[planRender1000, lab, stackUp, upgrade, roll, rollOutage, imageDisk, qemu, virtualbox, firstStart],
];
