// Which job starts next. Pure: it knows jobs and what runs, no processes.

/**
 * @typedef {{ holds?: string, seconds?: number }} Job
 */

/** Of infinite numbers, the difference is none. */
const compare = (a, b) => (a === b ? 0 : a < b ? -1 : 1);

/** Long jobs first, so that the last ones end together. */
function orderJobs(jobs) {
  return [...jobs].sort((a, b) => compare(b.seconds ?? 0, a.seconds ?? 0));
}

/**
 * The first of the waiting jobs that may start beside the running ones; `undefined` when none may.
 * @param slots how many jobs run at once
 */
function nextJob(waiting, running, slots) {
  if (running.length >= slots) return undefined;
  const held = new Set(running.flatMap(({ holds }) => holds ?? []));
  return waiting.find(({ holds }) => !held.has(holds));
}

/**
 * Runs every job; each gives a promise.
 * @param slots how many jobs run at once
 * @returns what they gave, in the order of `jobs`
 */
function runJobs(jobs, slots, run) {
  const waiting = orderJobs(jobs);
  const running = [];
  const results = new Map();
  return new Promise((resolve, reject) => {
    const startWhatFits = () => {
      for (let job = nextJob(waiting, running, slots); job; job = nextJob(waiting, running, slots)) {
        const started = job;
        waiting.splice(waiting.indexOf(started), 1);
        running.push(started);
        run(started).then((result) => {
          results.set(started, result);
          running.splice(running.indexOf(started), 1);
          startWhatFits();
        }, reject);
      }
      if (waiting.length === 0 && running.length === 0) resolve(jobs.map((each) => results.get(each)));
    };
    startWhatFits();
  });
}

module.exports = { orderJobs, nextJob, runJobs };
