// Names for the ids of one answer: what queues, agents and codes are called now.
import type { Schemas } from '@/api/client'

export type Choices = Schemas['CallChoices']
export type Kind = 'queues' | 'agents' | 'teams' | 'wrap_up_codes' | 'entry_points'

/** The name of an id; the id itself where it has none any more. */
export function nameOf(choices: Choices | undefined, kind: Kind, id: string | null | undefined): string {
  if (!id) return ''
  return choices?.[kind].find((each) => each.id === id)?.display_name || id
}
