import type { Bench } from "./bench";
import { firstStart } from "./first-start.bench";
import { imageDisk } from "./image-disk.bench";
import { lab } from "./lab.bench";
import { manyWorkers } from "./many-workers.bench";
import { planRender } from "./plan-render.bench";
import { qemu } from "./qemu.bench";
import { roll } from "./roll.bench";
import { rollOutage } from "./roll-outage.bench";
import { stackUp } from "./stack-up.bench";
import { upgradeLab, upgradeProduction } from "./upgrade.bench";
import { virtualbox } from "./virtualbox.bench";

/** In the order of execution. */
export const benches: readonly Bench[] = [
  ...[
    planRender,
    manyWorkers,
    lab,
    stackUp,
    upgradeLab,
    upgradeProduction,
    roll,
    rollOutage,
    imageDisk,
    qemu,
    virtualbox,
    firstStart,
  ],
];
