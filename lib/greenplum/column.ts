/** A column of the target, and of the web tables that are read into it. */
export interface Column {
  name: string;
  /** As SQL writes it: `character varying(20)`. */
  type: string;
}
