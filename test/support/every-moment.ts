/**
 * Tests of interruptions kill at every moment only on request. By default they take a part of the moments, because all of them
 * take minutes. CONTRIBUTING.md says who has to request it.
 */
export const everyMoment = process.env.GROUNDPLANE_TEST_EVERY_MOMENT === "true";

/** How many steps lie between two kills. */
export const stride = everyMoment ? 1 : 3;
