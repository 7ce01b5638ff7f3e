/** Whether the call of VBoxManage changes nothing. */
export const isRead = ([word]: readonly string[]): boolean =>
  ["--version", "list", "showvminfo", "showmediuminfo", "getextradata"].includes(word ?? "");
