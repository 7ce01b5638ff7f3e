import type { VmInfo } from "./parse-output";

/** What VirtualBox calls a machine's state, in the words of its `VMState`. */
export const vmState = (info: VmInfo): string => info.values.get("VMState") ?? "";

const still = ["poweroff", "aborted", "saved", "aborted-saved"];
const halted = ["gurumeditation", "stuck", "paused"];

/** Nothing of it is in a process, and its settings can be changed; a saved state has to be dropped first. */
export const isStill = (info: VmInfo): boolean => still.includes(vmState(info));
export const isSaved = (info: VmInfo): boolean => vmState(info).endsWith("saved");
export const isPaused = (info: VmInfo): boolean => vmState(info) === "paused";
/** In a process of its own, whatever it does there. */
export const isBusy = (info: VmInfo): boolean => info.values.has("VMState") && !isStill(info);
/** Works, or is about to; one that hangs or was paused does not. */
export const isRunning = (info: VmInfo): boolean => isBusy(info) && !halted.includes(vmState(info));
