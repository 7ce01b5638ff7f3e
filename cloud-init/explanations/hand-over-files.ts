import { guestPaths } from "../../model/guest-paths";
import type { FileExplanation } from "./explanation";

/** What a balancer takes connections over with. */
export const handOverFiles: Readonly<Record<string, FileExplanation>> = {
  [guestPaths.handOverRules]: {
    why: "The holder of the floating IP sends new connections to this balancer before it stops, while the address is still there.",
    unit: "groundplane-hand-over.service",
    shown: "nft list table ip groundplane_receive",
    stanzas: {
      "table ip": "The table is created, deleted and written again in one transaction.",
      "chain arriving":
        "Packets for the floating IP count as packets for this machine. At the second port, this balancer answers that it takes connections over.",
    },
  },
};
