// Who called, as a row or a heading says it.
import { c } from '../i18n/index.svelte'

/** The party's name, else the name shown, else the number, else what is known of it. */
export function callerOf(call: { party_name: string | null; caller_name: string; caller_number: string }): string {
  const name = call.caller_name === 'anonymous' ? '' : call.caller_name
  return call.party_name || name || numberOf(call.caller_number) || c('match.unknown')
}

/** The number as shown; one that was withheld by its word. */
export function numberOf(shown: string): string {
  return shown === '' || shown === 'anonymous' ? c('match.withheld') : shown
}
