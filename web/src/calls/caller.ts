// Who called, as a row or a heading says it.
import type { Schemas } from '@/api/client'
import { c } from '@/i18n/index.svelte'

type Row = Schemas['CallRow']

/** The party's name, else the name shown, else the number, else what is known of it. */
export function callerOf(call: Pick<Row, 'party_name' | 'caller_name' | 'caller_number'>): string {
  return call.party_name || call.caller_name || numberOf(call.caller_number) || c('match.unknown')
}

/** The number as shown; one that was withheld by its word. */
export function numberOf(shown: string): string {
  return shown === '' || shown === 'anonymous' ? c('match.withheld') : shown
}
