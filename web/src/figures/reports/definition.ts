// A report's definition and what the page asks for: the one as the other. Pure.
import type { Schemas } from '@/api/client'
import { daysOf, FIRST_COLUMNS, NO_ASKING, type Asking } from '../asking'

export type Definition = Schemas['ReportDefinition']
export type Report = Schemas['ReportRow']

/** What a report keeps of what is asked for, when it is *today* in the centre. */
export function definitionOf(asking: Asking, today: string): Definition {
  const own = asking.range === 'own' ? daysOf(asking, today) : { first: null, last: null }
  return {
    range: asking.range,
    days: asking.range === 'days' ? asking.days : null,
    ...own,
    step: asking.step,
    by: asking.by,
    view: asking.view,
    only: [...asking.only],
    columns: [...asking.columns],
    sort: asking.sort,
  }
}

/** What a report asks for; *version* 0: the newest. */
export function askingOf(definition: Definition, report: string, version = 0): Asking {
  return {
    range: definition.range ?? NO_ASKING.range,
    days: definition.days ?? NO_ASKING.days,
    first: definition.first ?? '',
    last: definition.last ?? '',
    step: definition.step ?? NO_ASKING.step,
    by: definition.by ?? NO_ASKING.by,
    view: definition.view ?? NO_ASKING.view,
    only: definition.only ?? [],
    columns: definition.columns ?? FIRST_COLUMNS,
    sort: definition.sort ?? '',
    report,
    version,
  }
}

/** Whether something else is asked for than a definition says. */
export function differs(asking: Asking, definition: Definition, today: string): boolean {
  const said = definitionOf(askingOf(definition, ''), today)
  return JSON.stringify(definitionOf(asking, today)) !== JSON.stringify(said)
}
