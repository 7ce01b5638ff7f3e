// Chooses the next job to start. Pure: it knows the jobs and their states, but no processes.

/**
 * @typedef {{ holds?: string[], seconds?: number }} Job
 */

/** Compares without a subtraction, because the difference of infinite numbers is NaN. */
const compare = (a, b) => (a === b ? 0 : a < b ? -1 : 1);

/** Long jobs first, so that the last jobs end at about the same time. */
function orderJobs(jobs) {
  return [...jobs].sort((a, b) => compare(b.seconds ?? 0, a.seconds ?? 0));
}

/**
 * The first waiting job that may start beside the running jobs, or `undefined`.
 * @param slots how many jobs run at once
 */
function nextJob(waiting, running, slots) {
  if (running.length >= slots) return undefined;
  const held = new Set(running.flatMap(({ holds = [] }) => holds));
  return waiting.find(({ holds = [] }) => !holds.some((resource) => held.has(resource)));
}

/**
 * Puts the files of pure tiers together, because most of them are shorter than the start of their process.
 * @param groups how many processes each tier has at most
 * @returns jobs with `files` in place of `file`; a single file of a tier stays a job of its own
 */
function groupPureJobs(jobs, groups) {
  const tiers = [...new Set(jobs.flatMap(({ tier, pure }) => (pure ? [tier] : [])))];
  return tiers.flatMap((tier) => {
    const ofTier = jobs.filter((job) => job.tier === tier && job.pure);
    const count = Math.min(groups, Math.ceil(ofTier.length / LEAST_FILES));
    const parts = Array.from({ length: count }, (_, part) => ofTier.filter((_job, index) => index % count === part));
    return parts.map((part, index) =>
      part.length === 1
        ? part[0]
        : {
            ...part[0],
            name: `${tier}, part ${index + 1} of ${count}`,
            file: undefined,
            files: part.map(({ file }) => file),
          },
    );
  });
}

/** Files of a process. With fewer files, another process would take longer than it saves. */
const LEAST_FILES = 4;

/**
 * Runs every job. Each returns a promise.
 * @param slots how many jobs run at once
 * @returns their results, in the order of `jobs`
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

module.exports = { groupPureJobs, orderJobs, nextJob, runJobs };
