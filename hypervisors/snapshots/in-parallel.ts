/** How many machines' disks are copied side by side: more would only compete for the disk. */
const SIDE_BY_SIDE = 4;

/** Begins no further item after a failure, and returns or throws only when nothing runs any more. */
export async function inParallel<T>(
  items: readonly T[],
  action: (item: T) => Promise<void>,
  limit = SIDE_BY_SIDE,
): Promise<void> {
  const left = [...items];
  const failures: unknown[] = [];
  const work = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined && failures.length === 0; item = left.shift())
      await action(item).catch((error: unknown) => void failures.push(error));
  };
  await Promise.all(Array.from({ length: limit }, work));
  if (failures.length > 0) throw failures[0];
}
