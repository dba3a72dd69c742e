// What is read of the rows behind a number.
import type { Opened } from './asking'

/** One page of them, with the sums of all. */
export interface Page<Row> {
  readonly rows: readonly Row[]
  readonly row_count: number
  readonly over_sum: number
  readonly under_sum: number
}

/** The server's query for a number, beside that for its table. */
export function numberQuery({ figure, start, end, key }: Opened) {
  return { figure, ...(start && end ? { start, end } : {}), ...(key === null ? {} : { key }) }
}
