// The tables of the page. Pure.
export const TABS = ['queues', 'agents', 'persons', 'transfers'] as const
export type Tab = (typeof TABS)[number]

/** Which table an address shows. */
export function tabOf(search: string): Tab {
  const tab = new URLSearchParams(search).get('tab') as Tab
  return TABS.includes(tab) ? tab : 'queues'
}

/** The address of a table as it is at first. */
export function tabPath(tab: Tab): string {
  return tab === 'queues' ? '/figures' : `/figures?tab=${tab}`
}
