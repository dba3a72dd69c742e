// What every table of the page does: what is asked for, and the number that is open, stand in the address; the
// table is read anew whenever what is asked for changes; who comes back from a number finds the focus on it.
import { tick, untrack } from 'svelte'
import { answer, api, Problem, type Schemas } from '@/api/client'
import { language } from '@/i18n/index.svelte'
import { listen } from '@/parts/keys'
import { openedOf, type Opened, type Step } from './asking'
import { periodName, todayIn } from './period'
import { byId, type Formula, type Formulas, type Line } from './shown'
import { hideTip } from './tip.svelte'
import { t } from './words'

/** A table as the server tells it. */
export interface Read {
  readonly rows: readonly Line[]
  readonly total: Line
  readonly step: Step
  readonly zone: string
  readonly by: string
  readonly formulas: readonly Formula[]
}

/** How one kind of table is asked for. */
export interface How<Asking, Table extends Read> {
  askingOf(search: URLSearchParams): Asking
  searchOf(asking: Asking): URLSearchParams
  openedSearch(asking: Asking, opened: Opened): URLSearchParams
  /** The server's query; its days are shown above the table. */
  queryOf(asking: Asking, today: string): { first: string; last: string }
  read(asking: Asking, today: string): Promise<Table>
}

/** The state of one table; made while its component is. */
export class TableTab<Asking extends { sort: string }, Table extends Read> {
  readonly #how: How<Asking, Table>
  #asked = 0
  #left = '' // the number that the keyboard returns to
  address = $state.raw(new URLSearchParams(location.search))
  choices = $state.raw<Schemas['ChoicesShown']>()
  table = $state.raw<Table>()
  problem = $state.raw<Problem>()
  isReading = $state(false)
  isHelp = $state(false)
  readonly asking: Asking = $derived.by(() => this.#how.askingOf(this.address))
  readonly opened: Opened | null = $derived(openedOf(this.address))
  readonly today: string = $derived(this.choices ? todayIn(this.choices.zone, new Date()) : '')
  readonly formulas: Formulas = $derived(byId(this.table?.formulas ?? []))
  readonly wanted: string = $derived.by(() =>
    this.choices ? JSON.stringify(this.#how.queryOf(this.asking, this.today)) : '',
  )

  constructor(how: How<Asking, Table>) {
    this.#how = how
    $effect(() => {
      if (this.wanted) untrack(() => void this.load())
    })
    $effect(() => {
      untrack(() => void this.readChoices())
      const moved = () => (this.address = new URLSearchParams(location.search))
      window.addEventListener('popstate', moved)
      return () => window.removeEventListener('popstate', moved)
    })
    $effect(() =>
      listen({
        '/': () => document.querySelector<HTMLElement>('#asked select')?.focus(),
        '?': () => (this.isHelp = true),
        Escape: () => {
          if (this.opened && !this.isHelp) this.close()
        },
      }),
    )
  }

  async readChoices(): Promise<void> {
    this.problem = undefined
    try {
      this.choices = await answer(api.GET('/api/v1/figures/choices'))
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      this.problem = error
    }
  }

  async load(): Promise<void> {
    const ours = ++this.#asked
    this.isReading = true
    this.problem = undefined
    try {
      const got = await this.#how.read(this.asking, this.today)
      if (ours === this.#asked) this.table = got
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      if (ours === this.#asked) [this.table, this.problem] = [undefined, error]
    } finally {
      if (ours === this.#asked) this.isReading = false
    }
  }

  /** Go to an address of the page. */
  go(search: URLSearchParams): void {
    const isClosed = this.opened !== null && openedOf(search) === null
    hideTip()
    history.pushState(null, '', search.size ? `/figures?${search}` : '/figures')
    this.address = search
    if (isClosed)
      void tick().then(() => {
        const links = [...document.querySelectorAll<HTMLAnchorElement>('main a')]
        links.find((each) => each.getAttribute('href') === this.#left)?.focus()
      })
  }

  /** Ask for something else; *isReplaced*: it is the same place of the browser's history. */
  change(asking: Asking, isReplaced = false): void {
    const search = this.#how.searchOf(asking)
    if (!isReplaced) return this.go(search)
    this.address = search
    history.replaceState(null, '', `/figures?${search}`)
  }

  /** Go back from the open number to the table. */
  close(): void {
    this.go(this.#how.searchOf(this.asking))
  }

  /** The address of the table behind the open number. */
  get back(): string {
    return `/figures?${this.#how.searchOf(this.asking)}`
  }

  hrefOf(number: Opened): string {
    return `/figures?${this.#how.openedSearch(this.asking, number)}`
  }

  /** Open a number, for a click that asks for no window of its own. */
  show(event: MouseEvent, number: Opened): void {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return
    event.preventDefault()
    this.#left = this.hrefOf(number)
    this.go(this.#how.openedSearch(this.asking, number))
  }

  /** The table's row of a number, where the table has been read. */
  rowOf(number: Opened): Line | undefined {
    if (number.key === null && !number.start) return this.table?.total
    return this.table?.rows.find((row) => row.start === number.start && row.key === number.key)
  }

  /** The days asked for, in words. */
  daysText(zone: string): string {
    const { first, last } = this.#how.queryOf(this.asking, this.today)
    const day = (at: string) => periodName(`${at}T00:00Z`, `${at}T23:59Z`, 'day', 'UTC', language())
    return t('figures.days', { first: day(first), last: day(last), zone })
  }
}
