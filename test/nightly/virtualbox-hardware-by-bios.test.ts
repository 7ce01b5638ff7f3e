// What VirtualBox does by default. `npm test` has its hardware with UEFI, and BIOS with the hardware of the driver `qemu`.
import { guestSkipReason } from "../support/qemu-guests";
import { checkVirtualboxHardware } from "../support/virtualbox-hardware-checks";

guestSkipReason().then((skip) => checkVirtualboxHardware("bios", skip));
