/**
 * The rule for names of stacks, machines, segments, disks and images: each becomes part of paths and of names on the host. It
 * is wider than what the configuration accepts, because names of earlier stacks must stay valid.
 */
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9])?$/;
/** An image's name also contains a version. */
const IMAGE_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?$/;

export const isObjectName = (name: string): boolean => NAME.test(name);
export const isImageName = (name: string): boolean => IMAGE_NAME.test(name) && !name.includes("..");
export const objectNameRule = "must consist of letters, digits and dashes, and begin and end with a letter or a digit";
