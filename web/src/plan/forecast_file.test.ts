import { describe, expect, it } from 'vitest'
import { forecastRows, intervalMin, kindOf } from './forecast_file'

const FORECAST = '\ufeffinterval_start;mean;p10;p50;p90\n2026-03-02T09:30:00Z;20;;;\n2026-03-02T09:00:00Z;10;7;10;14\nnonsense;1;1;1;1\n'

describe('a file of the planner', () => {
  it('is known by its first line', () => {
    expect(kindOf(FORECAST)).toBe('forecast')
    expect(kindOf('interval_start,calls\n')).toBe('history')
    expect(kindOf('date,calls\n')).toBe('neither')
    expect(kindOf('')).toBe('neither')
  })

  it('gives its rows in the order of time, and leaves out what it cannot read', () => {
    const rows = forecastRows(FORECAST)
    expect(rows.map((row) => row.mean)).toEqual([10, 20])
    expect(rows[0]).toMatchObject({ p10: 7, p90: 14, aht_s: null })
    expect(rows[1]).toMatchObject({ p10: null, p90: null })
    expect(intervalMin(rows)).toBe(30)
  })
})
