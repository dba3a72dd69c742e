// The two tables of the page. Pure.
export const TABS = ['queues', 'agents'] as const
export type Tab = (typeof TABS)[number]

/** Which table an address shows. */
export function tabOf(search: string): Tab {
  return new URLSearchParams(search).get('tab') === 'agents' ? 'agents' : 'queues'
}

/** The address of a table as it is at first. */
export function tabPath(tab: Tab): string {
  return tab === 'agents' ? '/figures?tab=agents' : '/figures'
}
