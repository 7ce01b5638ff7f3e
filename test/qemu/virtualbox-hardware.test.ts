// With UEFI where this host has it, because the guests of the driver `qemu` start by BIOS.
import { guestSkipReason } from "../support/qemu-guests";
import { firmwareSkipReason } from "../support/virtualbox-hardware";
import { checkVirtualboxHardware } from "../support/virtualbox-hardware-checks";

const firmware = firmwareSkipReason("uefi") ? "bios" : "uefi";
guestSkipReason().then((skip) => checkVirtualboxHardware(firmware, skip));
