import type { VmInfo } from "./parse-output";

/** The machine's state: the value of VirtualBox's `VMState`. */
export const vmState = (info: VmInfo): string => info.values.get("VMState") ?? "";

const still = ["poweroff", "aborted", "saved", "aborted-saved"];
const halted = ["gurumeditation", "stuck", "paused", "stopping"];

/** No process runs the machine, and its settings can change. A saved state must be discarded first. */
export const isStill = (info: VmInfo): boolean => still.includes(vmState(info));
export const isSaved = (info: VmInfo): boolean => vmState(info).endsWith("saved");
export const isPaused = (info: VmInfo): boolean => vmState(info) === "paused";
/** A process runs the machine, in any state. */
export const isBusy = (info: VmInfo): boolean => info.values.has("VMState") && !isStill(info);
/** Running or starting; a machine that hangs, is paused or stops does not count. */
export const isRunning = (info: VmInfo): boolean => isBusy(info) && !halted.includes(vmState(info));
export const isStopping = (info: VmInfo): boolean => vmState(info) === "stopping";
