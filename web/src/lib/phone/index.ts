// The one door to the phone in a page: JsSIP is loaded when the agent's device is the browser, and not before.
import { answer, api } from '../api/client'
import type { Phone } from './phone'

export type { Phone, PhoneCall, PhoneLink, PhoneProblem, PhoneState } from './phone'

/** The browser phone of the agent who is signed in here; `start` registers it. */
export async function browserPhone(agent_id: string): Promise<Phone> {
  const { BrowserPhone } = await import('./browser_phone')
  return new BrowserPhone({
    credentials: () =>
      answer(api.POST('/api/v1/agents/{agent_id}/phone/credentials', { params: { path: { agent_id } } })),
    ticket: async () => (await answer(api.POST('/api/v1/session/ticket'))).ticket,
  })
}
