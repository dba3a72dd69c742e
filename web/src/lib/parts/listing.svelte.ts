// A list that is asked for as one types: the answer to the last question counts, pages are put one after the other,
// and the arrow keys go from the search field through the rows and back.
import { Problem } from '../api/client'

const PAUSE_MS = 150

export interface Found<Row> {
  readonly rows: readonly Row[]
  readonly next: string | null
  /** Whether that is all there is; without it: when no page follows. */
  readonly complete?: boolean
}

export class Listing<Row> {
  rows = $state.raw<readonly Row[]>([])
  next = $state<string | null>(null)
  complete = $state(true)
  problem = $state<Problem>()
  loading = $state(true)
  private asked = 0

  constructor(private readonly ask: (cursor: string | null) => Promise<Found<Row>>) {}

  /** Ask for the first page, or for the one at *cursor*. */
  async load(cursor: string | null = null): Promise<void> {
    const mine = ++this.asked
    this.loading = true
    try {
      const got = await this.ask(cursor)
      if (mine !== this.asked) return // a later question is under way
      this.rows = cursor === null ? got.rows : [...this.rows, ...got.rows]
      this.next = got.next
      this.complete = got.complete ?? got.next === null
      this.problem = undefined
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      if (mine === this.asked) this.problem = error
    } finally {
      if (mine === this.asked) this.loading = false
    }
  }

  /** Ask when nobody has typed for a moment, at once without words; returns what calls it off (for `$effect`). */
  soon(words: string): () => void {
    const waiting = setTimeout(() => void this.load(), words.trim() === '' ? 0 : PAUSE_MS)
    return () => clearTimeout(waiting)
  }
}

/** Move the focus by arrow key between *box* and the `[data-row]` in *list*; false when the key is none. */
export function moved(event: KeyboardEvent, box: HTMLElement | undefined, list: HTMLElement | undefined): boolean {
  if (event.target instanceof HTMLSelectElement) return false
  const all = [...(list?.querySelectorAll<HTMLElement>('[data-row]') ?? [])]
  const at = all.indexOf(document.activeElement as HTMLElement)
  if (event.key === 'ArrowDown') all[Math.min(at + 1, all.length - 1)]?.focus()
  else if (event.key === 'ArrowUp') (at <= 0 ? box : all[at - 1])?.focus()
  else return false
  event.preventDefault()
  return true
}
