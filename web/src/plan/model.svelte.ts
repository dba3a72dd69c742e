// What the planner's page holds: a forecast, what people laid over it, the goals, and how many agents it needs.
import { answer, api, Problem, type Schemas } from '@/api/client'
import { follow, keep, send } from './asking'
import { forecastRows, intervalMin, kindOf, type ForecastRow } from './forecast_file'

export type Run = Schemas['ForecastRunRow']

export interface Goals {
  target: number
  threshold_s: number
  aht_s: number
  patient: boolean
  patience_s: number
  max_occupancy: number
  shrinkage: number
  rate_cv: number
  cost_per_hour: number
  currency: string
}

export const FIRST_GOALS: Readonly<Goals> = {
  target: 0.8,
  threshold_s: 20,
  aht_s: 240,
  patient: false,
  patience_s: 180,
  max_occupancy: 1,
  shrinkage: 0.3,
  rate_cv: 0,
  cost_per_hour: 0,
  currency: '',
}

const ASKED_ROWS_MAX = 3_000
const RUNS_SHOWN = 30
const WEEK_MS = 7 * 86_400_000

/** A refusal of a file before it is sent. */
export class BadFile extends Error {}

export class PlanModel {
  planned = $state.raw<readonly ForecastRow[]>([])
  history = $state.raw<ReadonlyMap<number, number>>(new Map())
  interval_min = $state(30)
  zone = $state(Intl.DateTimeFormat().resolvedOptions().timeZone)
  run = $state.raw<Run | undefined>(undefined)
  runs = $state.raw<readonly Run[] | undefined>(undefined)
  runHistory = $state.raw<Schemas['HistoryShown'] | undefined>(undefined)
  today = $state.raw<Schemas['TodayShown'] | undefined>(undefined)
  /** Whether the rest of today is staffed by what came so far. */
  withToday = $state(false)
  working = $state<{ job_id: string; progress: number | null } | undefined>(undefined)
  goals = $state<Goals>({ ...FIRST_GOALS })
  day = $state('')
  /** Without totals while only what is shown has been answered. */
  answered = $state.raw<{ totals: Totals | undefined; rows: readonly StaffedRow[] } | undefined>(undefined)
  asking = $state(false)
  #asked = 0

  rows = $derived(this.withToday && this.today ? renewed(this.planned, this.today) : this.planned)
  days = $derived([...new Set(this.rows.map((row) => this.dayOf(row.start_ms)))])
  dayRows = $derived(this.rows.filter((row) => this.dayOf(row.start_ms) === this.day))
  dayStaffed = $derived((this.answered?.rows ?? []).filter(({ row }) => this.dayOf(row.start_ms) === this.day))
  todayDay = $derived(this.today ? this.dayOf(this.today.until_ms) : '')

  #dayForm = $derived(
    new Intl.DateTimeFormat('en-CA', { timeZone: this.zone, year: 'numeric', month: '2-digit', day: '2-digit' }),
  )

  dayOf(at_ms: number): string {
    return this.#dayForm.format(at_ms)
  }

  /** Calls of the same interval a week before, where the history has them. */
  weekBefore(row: ForecastRow): number | null {
    return this.history.get(row.start_ms - WEEK_MS) ?? null
  }

  async readRuns(): Promise<void> {
    const query = { limit: RUNS_SHOWN }
    this.runs = (await answer(api.GET('/api/v1/plan/forecasts', { params: { query } }))).runs
  }

  async openFile(file: File, horizon_days: number, country: string): Promise<void> {
    const text = await file.text()
    switch (kindOf(text)) {
      case 'neither':
        throw new BadFile('columns')
      case 'forecast': {
        const rows = forecastRows(text)
        if (rows.length === 0) throw new BadFile('no_rows')
        this.run = this.runHistory = undefined
        this.#take(rows, intervalMin(rows), this.zone, new Map())
        return
      }
      case 'history': {
        const query = new URLSearchParams({ display_name: file.name, horizon_days: String(horizon_days), zone: this.zone })
        if (country) query.set('country', country)
        const headers = { 'Content-Type': 'text/csv' }
        const made = await send(`/api/v1/plan/forecasts/files?${query}`, { method: 'POST', headers, body: text })
        await this.#finish((await made.json()) as Schemas['ForecastMade'])
      }
    }
  }

  async forecast(body: Schemas['ForecastBody']): Promise<void> {
    await this.#finish(await answer(api.POST('/api/v1/plan/forecasts', { body })))
  }

  async again(carry_overlays: boolean): Promise<void> {
    if (!this.run) return
    const path = { run_id: this.run.run_id }
    const query = { carry_overlays }
    await this.#finish(await answer(api.POST('/api/v1/plan/forecasts/{run_id}/again', { params: { path, query } })))
  }

  async open(run_id: string): Promise<void> {
    const params = { path: { run_id } }
    const [run, page, history] = await Promise.all([
      answer(api.GET('/api/v1/plan/forecasts/{run_id}', { params })),
      answer(api.GET('/api/v1/plan/forecasts/{run_id}/intervals', { params })),
      answer(api.GET('/api/v1/plan/forecasts/{run_id}/history', { params })),
    ])
    const calls = new Map<number, number>()
    page.history_start_ms.forEach((start_ms, at) => {
      const came = page.history_calls[at]
      if (came !== null && came !== undefined) calls.set(start_ms, came)
    })
    this.run = run
    this.runHistory = history
    this.#take(page.intervals, page.interval_min, page.zone, calls)
    await this.readToday()
  }

  /** Renew today by what the log has of it; nothing to renew (a file, a closed day) leaves it undefined. */
  async readToday(): Promise<void> {
    const run = this.run
    if (!run || !['queue', 'reason'].includes(run.source.kind)) return
    try {
      const params = { path: { run_id: run.run_id } }
      const today = await answer(api.GET('/api/v1/plan/forecasts/{run_id}/today', { params }))
      if (this.run?.run_id === run.run_id) this.today = today
    } catch (error) {
      if (!(error instanceof Problem && error.status === 422)) throw error
      if (this.run?.run_id === run.run_id) this.today = undefined
    }
  }

  async lay(body: Schemas['OverlayBody']): Promise<void> {
    if (!this.run) return
    const params = { path: { run_id: this.run.run_id } }
    this.run = await answer(api.POST('/api/v1/plan/forecasts/{run_id}/overlays', { params, body }))
    await this.#readRows()
  }

  /** Undo an overlay of a run, whichever is open meanwhile. */
  async undo(run_id: string, number: number): Promise<void> {
    const params = { path: { run_id, number } }
    const run = await answer(api.POST('/api/v1/plan/forecasts/{run_id}/overlays/{number}/undo', { params }))
    if (this.run?.run_id !== run_id) return
    this.run = run
    await this.#readRows()
  }

  async cancel(): Promise<void> {
    if (!this.working) return
    const params = { path: { job_id: this.working.job_id } }
    await answer(api.POST('/api/v1/jobs/{job_id}/cancel', { params }))
  }

  /**
   * Ask how many agents the forecast needs: first for what is shown, so that a slider answers at once, then for all
   * of it. An answer that is overtaken by a newer question is dropped.
   */
  async ask(rows: readonly ForecastRow[], shown: readonly ForecastRow[], goals: Goals): Promise<void> {
    const mine = ++this.#asked
    this.asking = true
    try {
      if (shown.length > 0 && shown.length < rows.length && shown.length <= ASKED_ROWS_MAX) {
        const got = await answer(api.POST('/api/v1/plan/staffing', { body: this.#question(shown, goals) }))
        if (mine !== this.#asked) return
        const known = new Map(this.answered?.rows.map((each) => [each.row.start_ms, each]))
        shown.forEach((row, at) => known.set(row.start_ms, { row, got: got.intervals[at]! }))
        this.answered = { totals: undefined, rows: rows.flatMap((row) => known.get(row.start_ms) ?? []) }
      }
      const found: StaffedRow[] = []
      const totals: Totals = { agents_max: 0, scheduled_hours: 0, cost: 0 }
      for (let from = 0; from < rows.length; from += ASKED_ROWS_MAX) {
        const part = rows.slice(from, from + ASKED_ROWS_MAX)
        const got = await answer(api.POST('/api/v1/plan/staffing', { body: this.#question(part, goals) }))
        if (mine !== this.#asked) return
        part.forEach((row, at) => found.push({ row, got: got.intervals[at]! }))
        totals.agents_max = Math.max(totals.agents_max, got.agents_max)
        totals.scheduled_hours += got.scheduled_hours
        totals.cost += got.cost
      }
      this.answered = { totals, rows: found }
    } finally {
      if (mine === this.#asked) this.asking = false
    }
  }

  /** Take the requirement of all days away as a file: the same question, so the same figures. */
  async download(format: 'csv' | 'xlsx'): Promise<void> {
    const question = this.#question(this.rows, this.goals)
    const body = { ...question, format, zone: this.zone, starts_ms: this.rows.map((row) => row.start_ms) }
    const headers = { 'Content-Type': 'application/json' }
    const path = '/api/v1/plan/staffing/file'
    await keep(await send(path, { method: 'POST', headers, body: JSON.stringify(body) }), `requirement.${format}`)
  }

  #question(rows: readonly ForecastRow[], goals: Goals): Schemas['StaffingQuestion'] {
    return {
      interval_s: this.interval_min * 60,
      cost_per_hour: goals.cost_per_hour,
      currency: goals.currency,
      goals: {
        target: goals.target,
        threshold_s: goals.threshold_s,
        ...(goals.patient ? { patience_s: goals.patience_s } : {}),
        max_occupancy: goals.max_occupancy,
        max_abandonment: 1,
        shrinkage: goals.shrinkage,
        rate_cv: goals.rate_cv,
      },
      cases: rows.map((row) => ({
        calls: row.mean,
        ...(row.p10 === null ? {} : { calls_low: row.p10 }),
        ...(row.p90 === null ? {} : { calls_high: row.p90 }),
        aht_s: row.aht_s ?? goals.aht_s,
      })),
    }
  }

  async #readRows(): Promise<void> {
    if (!this.run) return
    const params = { path: { run_id: this.run.run_id } }
    this.planned = (await answer(api.GET('/api/v1/plan/forecasts/{run_id}/intervals', { params }))).intervals
    await this.readToday()
  }

  async #finish(made: Schemas['ForecastMade']): Promise<void> {
    this.working = { job_id: made.job_id, progress: null }
    try {
      await follow(made.job_id, (progress) => (this.working = { job_id: made.job_id, progress }))
      await this.open(made.run_id)
    } finally {
      this.working = undefined
    }
    await this.readRuns()
  }

  #take(rows: readonly ForecastRow[], interval_min: number, zone: string, history: ReadonlyMap<number, number>): void {
    this.interval_min = interval_min
    this.zone = zone || this.zone
    this.today = this.answered = undefined
    this.withToday = false
    this.planned = rows
    this.history = history
    this.day = this.days[0] ?? ''
  }
}

export interface StaffedRow {
  readonly row: ForecastRow
  readonly got: Schemas['StaffedInterval']
}

export interface Totals {
  agents_max: number
  scheduled_hours: number
  cost: number
}

/** The rows, those of the rest of today as they are expected now. */
export function renewed(rows: readonly ForecastRow[], today: Schemas['TodayShown']): readonly ForecastRow[] {
  const now = new Map(today.intervals.filter((each) => each.calls === null).map((each) => [each.start_ms, each]))
  return rows.map((row) => {
    const found = now.get(row.start_ms)
    return found ? { ...row, mean: found.mean, p10: found.p10, p90: found.p90 } : row
  })
}
