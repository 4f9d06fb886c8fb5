/** A mistake that somebody could make, and the tests that must fail of it. */
export interface Mutation {
  /** The file that is changed, from the checkout's folder. */
  file: string;
  /** What the mistake is, in words. */
  change: string;
  /** Text that the file has exactly once, and what takes its place. */
  find: string;
  replace: string;
  /** Files of tests. */
  tests: readonly string[];
  /** Only the tests whose names have this text in them. */
  filter?: string;
}
