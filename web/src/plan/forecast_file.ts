// A forecast from a CSV file.

export interface ForecastRow {
  readonly start_ms: number
  readonly mean: number
  readonly p10: number | null
  readonly p90: number | null
  readonly aht_s: number | null
}

export type FileKind = 'history' | 'forecast' | 'neither'

const ROWS_MAX = 100_000

function cells(line: string, delimiter: string): string[] {
  return line.split(delimiter).map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'))
}

function header(text: string): { names: string[]; delimiter: string } {
  const line = text.replace(/^\ufeff/, '').split(/\r?\n/, 1)[0] ?? ''
  const delimiter = [',', ';', '\t'].sort((a, b) => line.split(b).length - line.split(a).length)[0] ?? ','
  return { names: cells(line.toLowerCase(), delimiter), delimiter }
}

/** What a file holds, by its first line. */
export function kindOf(text: string): FileKind {
  const { names } = header(text)
  if (!names.includes('interval_start')) return 'neither'
  return names.includes('mean') ? 'forecast' : names.includes('calls') ? 'history' : 'neither'
}

/** The rows of a forecast file; rows that cannot be read are left out. */
export function forecastRows(text: string): ForecastRow[] {
  const { names, delimiter } = header(text)
  const at = (name: string) => names.indexOf(name)
  const rows: ForecastRow[] = []
  for (const line of text.split(/\r?\n/).slice(1, ROWS_MAX + 1)) {
    const row = cells(line, delimiter)
    const figure = (name: string): number | null => {
      const cell = at(name) < 0 ? '' : (row[at(name)] ?? '')
      const value = Number(cell)
      return cell === '' || !Number.isFinite(value) || value < 0 ? null : value
    }
    const start_ms = Date.parse(row[at('interval_start')] ?? '')
    const mean = figure('mean')
    if (Number.isNaN(start_ms) || mean === null) continue
    rows.push({ start_ms, mean, p10: figure('p10'), p90: figure('p90'), aht_s: figure('aht_s') })
  }
  return rows.sort((a, b) => a.start_ms - b.start_ms)
}

/** The interval's length: the shortest step between rows; half an hour for a single one. */
export function intervalMin(rows: readonly ForecastRow[]): number {
  let step_ms = Infinity
  rows.forEach((row, at) => {
    const before = rows[at - 1]
    if (before && row.start_ms > before.start_ms) step_ms = Math.min(step_ms, row.start_ms - before.start_ms)
  })
  return Number.isFinite(step_ms) ? Math.min(step_ms / 60_000, 1440) : 30
}
