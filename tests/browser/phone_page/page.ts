// A page with a phone and nothing else: what a test does by hand, it does through `window.phone`.
import { browserPhone, type Phone, type PhoneState } from '../../../web/src/lib/phone'

interface TestWindow {
  phone: Phone | undefined
  states: { state: PhoneState; at_ms: number }[]
  begin(agent_id: string): Promise<void>
}

const page = window as unknown as TestWindow
page.states = []
page.begin = async (agent_id) => {
  const phone = await browserPhone(agent_id)
  phone.onchange = (state) => page.states.push({ state, at_ms: Date.now() })
  page.phone = phone
  await phone.start()
}
const agent_id = new URLSearchParams(location.search).get('agent')
if (agent_id !== null) void page.begin(agent_id)
