/** The way to a field: names of fields or keys of maps, and indexes of arrays, from the outside in. */
export type Path = readonly (string | number)[];
