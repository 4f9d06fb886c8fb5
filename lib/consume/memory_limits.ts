/** What a run's data may take, bytes, unless it is set; and the least that a run can do with. */
export const MEMORY_MAX = 256 * 1024 * 1024;
export const MEMORY_LEAST = 64 * 1024 * 1024;
/** How the bound is called in a configuration. */
export const MEMORY_PROPERTY = "gpdb.kafka.memory.max";
