// What the planner's page holds: a forecast, the goals, and how many agents the chosen day needs.
import { answer, api, Problem, problemOf, type Schemas } from '@/api/client'
import { forecastRows, intervalMin, kindOf, type ForecastRow } from './forecast_file'

export interface RunShown {
  readonly run_id: string
  readonly display_name: string
  readonly made_ms: number
  readonly outcome: {
    readonly notes: readonly string[]
    readonly accuracy: {
      readonly horizons: readonly {
        readonly horizon_days: number
        readonly winner: 'forecast' | 'seasonal_naive' | 'industry'
        readonly forecast: { readonly wape: number }
        readonly industry: { readonly wape: number }
        readonly seasonal_naive: { readonly wape: number }
      }[]
    }
  } | null
}

interface Intervals {
  readonly interval_min: number
  readonly zone: string
  readonly intervals: readonly ForecastRow[]
  readonly history_start_ms: readonly number[]
  readonly history_calls: readonly (number | null)[]
}

interface Job {
  readonly state: string
  readonly progress?: number | null
  readonly error?: { readonly error_id: string; readonly detail?: string } | null
}

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
  cost_per_hour: 20,
}

const ASKED_ROWS_MAX = 3_000
const JOB_LOOK_MS = 400
const JOB_LOOKS_MAX = 900
const RUNS_SHOWN = 20
const WEEK_MS = 7 * 86_400_000

/** A refusal of a file, told in the server's own words. */
export class BadFile extends Error {}

export class PlanModel {
  rows = $state.raw<readonly ForecastRow[]>([])
  history = $state.raw<ReadonlyMap<number, number>>(new Map())
  interval_min = $state(30)
  zone = $state(Intl.DateTimeFormat().resolvedOptions().timeZone)
  run = $state.raw<RunShown | undefined>(undefined)
  runs = $state.raw<readonly RunShown[]>([])
  working = $state<{ job_id: string } | undefined>(undefined)
  goals = $state<Goals>({ ...FIRST_GOALS })
  day = $state('')
  answer = $state.raw<Schemas['StaffingAnswer'] | undefined>(undefined)
  answered_rows = $state.raw<readonly ForecastRow[]>([])
  asking = $state(false)
  #asked = 0

  days = $derived([...new Set(this.rows.map((row) => this.dayOf(row.start_ms)))])
  dayRows = $derived(this.rows.filter((row) => this.dayOf(row.start_ms) === this.day))

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
    const page = await asked<{ runs: RunShown[] }>(`/api/v1/plan/forecasts?limit=${RUNS_SHOWN}`)
    this.runs = page.runs
  }

  async openFile(file: File, horizon_days: number, country: string): Promise<void> {
    const text = await file.text()
    switch (kindOf(text)) {
      case 'neither':
        throw new BadFile('columns')
      case 'forecast': {
        const rows = forecastRows(text)
        if (rows.length === 0) throw new BadFile('no_rows')
        this.run = undefined
        this.#take(rows, intervalMin(rows), this.zone, new Map())
        return
      }
      case 'history': {
        const query = new URLSearchParams({ display_name: file.name, horizon_days: String(horizon_days), zone: this.zone })
        if (country) query.set('country', country)
        const made = await asked<{ run_id: string; job_id: string }>(`/api/v1/plan/forecasts/files?${query}`, {
          method: 'POST',
          headers: { 'Content-Type': 'text/csv' },
          body: text,
        })
        await this.#follow(made.job_id)
        await this.open(made.run_id)
        await this.readRuns()
      }
    }
  }

  async open(run_id: string): Promise<void> {
    const [run, page] = await Promise.all([
      asked<RunShown>(`/api/v1/plan/forecasts/${run_id}`),
      asked<Intervals>(`/api/v1/plan/forecasts/${run_id}/intervals`),
    ])
    const history = new Map<number, number>()
    page.history_start_ms.forEach((start_ms, at) => {
      const calls = page.history_calls[at]
      if (calls !== null && calls !== undefined) history.set(start_ms, calls)
    })
    this.run = run
    this.#take(page.intervals, page.interval_min, page.zone, history)
  }

  async cancel(): Promise<void> {
    if (this.working) await asked(`/api/v1/jobs/${this.working.job_id}/cancel`, { method: 'POST' })
  }

  /** Ask how many agents the chosen day needs; an answer that is overtaken by a newer question is dropped. */
  async ask(rows: readonly ForecastRow[], goals: Goals): Promise<void> {
    const mine = ++this.#asked
    this.asking = true
    try {
      const got = await this.staffed(rows, goals)
      if (mine !== this.#asked) return
      this.answer = got
      this.answered_rows = rows
    } finally {
      if (mine === this.#asked) this.asking = false
    }
  }

  staffed(rows: readonly ForecastRow[], goals: Goals): Promise<Schemas['StaffingAnswer']> {
    return answer(
      api.POST('/api/v1/plan/staffing', {
        body: {
          interval_s: this.interval_min * 60,
          cost_per_hour: goals.cost_per_hour,
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
        },
      }),
    )
  }

  /** Every interval of the forecast, staffed. */
  async all(): Promise<[ForecastRow, Schemas['StaffedInterval']][]> {
    const found: [ForecastRow, Schemas['StaffedInterval']][] = []
    for (let from = 0; from < this.rows.length; from += ASKED_ROWS_MAX) {
      const part = this.rows.slice(from, from + ASKED_ROWS_MAX)
      const got = await this.staffed(part, this.goals)
      part.forEach((row, at) => found.push([row, got.intervals[at]!]))
    }
    return found
  }

  async #follow(job_id: string): Promise<void> {
    this.working = { job_id }
    try {
      for (let look = 0; look < JOB_LOOKS_MAX; look++) {
        const job = await asked<Job>(`/api/v1/jobs/${job_id}`)
        if (job.state === 'done') return
        if (['failed', 'cancelled', 'canceled'].includes(job.state)) {
          throw new Problem(409, job.error?.error_id ?? `job_${job.state}`, {}, job.error?.detail ?? '')
        }
        await new Promise((resolve) => setTimeout(resolve, JOB_LOOK_MS))
      }
      throw new Problem(0, 'network')
    } finally {
      this.working = undefined
    }
  }

  #take(rows: readonly ForecastRow[], interval_min: number, zone: string, history: ReadonlyMap<number, number>): void {
    this.interval_min = interval_min
    this.zone = zone || this.zone
    this.rows = rows
    this.history = history
    this.day = this.days[0] ?? ''
  }
}

async function asked<Body>(path: string, more: RequestInit = {}): Promise<Body> {
  let response: Response
  try {
    response = await fetch(path, {
      credentials: 'same-origin',
      ...more,
      headers: { 'X-Holdless': '1', ...(more.headers as Record<string, string> | undefined) },
    })
  } catch {
    throw new Problem(0, 'network')
  }
  const body: unknown = await response.json().catch(() => null)
  if (!response.ok) throw problemOf(response.status, body)
  return body as Body
}
